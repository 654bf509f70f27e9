"""The simulator's pages: asked, watched, read, compared, taken along."""

from datetime import timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import drafts, rules
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db
TOKEN = "c" * 32


@pytest.fixture
def draft(programme):
    rules.publish_rule(programme=programme, kind="visit", spec={"points": 5})
    draft = drafts.start(programme=programme, name="Double <week>")
    drafts.put(draft=draft, kind="booster", spec={"times": "3"}, name="Thrice")
    return draft


@pytest.fixture
def fields(draft):
    day = clock.now().date()
    return {
        "token": TOKEN,
        "rules": f"draft:{draft.pk}",
        "beside": "today",
        "since": (day - timedelta(days=30)).isoformat(),
        "until": (day + timedelta(days=1)).isoformat(),
        "breakage": "25",
        "earlier": "on",
    }


def text_of(response):
    return response.content.decode().replace("\xa0", " ")


@pytest.fixture
def asked(owner, url, fields, visit, member):
    type(member).objects.filter(pk=member.pk).update(first_name="=1+1", last_name="Lu")
    visit(member, "v1")
    assert owner.post(url("simulation-new"), fields).status_code == 302
    return get_model("loyalty_reports", "Simulation").objects.get(rules=fields["rules"])


def test_a_draft_is_tried_and_read(owner, url, asked, fields, django_assert_max_num_queries):
    text = text_of(owner.get(url("simulation", asked.pk)))
    assert "It begins in a moment" in text and "simulator.js" in text and 'http-equiv="refresh"' in text
    assert owner.get(url("simulation-progress", asked.pk)).json() == {"over": False, "percent": 0}
    # Pressed twice, asked once.
    owner.post(url("simulation-new"), fields)
    assert get_model("loyalty_reports", "Simulation").objects.count() == 2
    due.sweep()
    assert owner.get(url("simulation-progress", asked.pk)).json() == {"over": True, "percent": 100}
    with django_assert_max_num_queries(22):
        text = text_of(owner.get(url("simulation", asked.pk)))
    assert "255 petals" in text and "85 petals" in text
    assert "80 petals for each piece" in text and "Product: Haircut" in text
    assert "Triple petals" in text and "Thrice" in text
    assert "Draft: Double &lt;week&gt;" in text
    assert "+170" in text
    with django_assert_max_num_queries(24):
        text = text_of(owner.get(url("simulation-compare", asked.pk)))
    assert "Today’s rules" in text and "255 petals" in text
    with django_assert_max_num_queries(14):
        text = text_of(owner.get(url("simulations")))
    assert "more" in text


def test_members_are_taken_along_as_text(owner, url, asked):
    due.sweep()
    answer = owner.get(url("simulation-export", asked.pk, "xlsx"))
    sheet = load_workbook(BytesIO(b"".join(answer.streaming_content))).active
    rows = list(sheet.iter_rows())
    assert [cell.value for cell in rows[1]][1:3] == ["=1+1", "Lu"]
    assert rows[1][1].data_type == "s"
    assert "'=1+1" in b"".join(owner.get(url("simulation-export", asked.pk, "csv")).streaming_content).decode()
    assert owner.get(url("simulation-export", asked.pk, "exe")).status_code == 404


def test_called_off_and_done_again(owner, url, asked):
    owner.post(url("simulation-action", asked.pk, "stop"))
    due.sweep()
    assert "It was called off" in text_of(owner.get(url("simulation", asked.pk)))
    owner.post(url("simulation-action", asked.pk, "again"))
    due.sweep()
    assert "Points by rule" in text_of(owner.get(url("simulation", asked.pk)))
    assert owner.post(url("simulation-action", asked.pk, "delete")).status_code == 404


def test_rules_that_are_gone_are_said(owner, url, asked, draft):
    draft.items.all().delete()
    draft.delete()
    due.sweep()
    assert "not there any more" in text_of(owner.get(url("simulation", asked.pk)))


def test_what_is_wrong_is_said_at_its_field(owner, url, fields):
    wrong = {**fields, "until": "2020-01-01", "beside": fields["rules"], "breakage": "120"}
    text = text_of(owner.post(url("simulation-new"), wrong))
    assert "The end lies before the beginning" in text and "That is the same as above" in text
    assert "less than or equal to 100" in text and 'value="120"' in text
    assert not get_model("loyalty_reports", "Simulation").objects.exists()


def test_who_reads_and_who_runs(client, url, asked, staff, draft, owner):
    text = text_of(owner.get(url("simulation-new") + f"?draft={draft.pk}"))
    assert f'value="draft:{draft.pk}" selected' in text
    client.force_login(staff("view_loyalty"))
    assert client.get(url("simulations")).status_code == 200
    assert "Run again" not in text_of(client.get(url("simulation", asked.pk)))
    for address in (url("simulation-new"), url("simulation-action", asked.pk, "stop")):
        assert client.post(address).status_code == 403


def test_nobody_is_an_empty_page(owner, url, programme, fields):
    assert "Try rules before" in text_of(owner.get(url("simulations")))
    owner.post(url("simulation-new"), fields)
    due.sweep()
    row = get_model("loyalty_reports", "Simulation").objects.get(rules=fields["rules"])
    assert "no purchases by members" in text_of(owner.get(url("simulation", row.pk)))
    assert owner.get(url("simulation-compare", row.beside_id)).status_code == 404
