"""Long lists as Excel files: made by the worker, with the filters, for whoever asked and nobody else."""

import io
import re

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import exports, files
from tests.due.test_workers import broker, queue, wait_for, worker  # noqa: F401

ExportFile = get_model("loyalty_reports", "ExportFile")


@pytest.fixture(autouse=True)
def _long(monkeypatch):
    """From four rows on a list is long."""
    monkeypatch.setattr(files, "SMALL", 3)
    monkeypatch.setattr(files, "STEP", 2)
    monkeypatch.setattr(exports, "SLICE", 2)


@pytest.fixture
def ask(owner, url):
    def ask(name="members", **query):
        response = owner.get(url(f"{name}-export", "xlsx"), query)
        assert response.status_code == 302 and response["Location"] == url("files")
        return ExportFile.objects.latest("pk")

    return ask


def sheet_of(response):
    return load_workbook(io.BytesIO(b"".join(response.streaming_content))).active


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode().replace("\xa0", " "))


def test_a_short_list_is_sent_at_once(owner, url, many):
    many(3)
    assert sheet_of(owner.get(url("members-export", "xlsx"))).max_row == 4
    assert not ExportFile.objects.exists()


def test_a_long_list_is_made_by_the_worker(time, owner, url, many, ask):
    many(9)
    file = ask()
    assert owner.get(url("file", file.uuid)).status_code == 404
    assert "waiting" in text_of(owner.get(url("files")))
    assert owner.get(url("file-progress", file.uuid)).json() == {"over": False, "percent": 0}
    due.sweep()
    file.refresh_from_db()
    assert (file.state, file.done, file.total) == ("ready", 9, 9) and file.pieces.count() == 1
    response = owner.get(url("file", file.uuid))
    assert (
        response["Cache-Control"] == "private, no-store"
        and "members-2026-03-02.xlsx" in response["Content-Disposition"]
    )
    sheet = sheet_of(response)
    assert sheet.max_row == 10 and int(response["Content-Length"]) == file.size
    numbers = {row[0].value for row in sheet.iter_rows(min_row=2)}
    assert numbers == set(get_model("loyalty_members", "Member").objects.values_list("number", flat=True))


@pytest.mark.parametrize("look", ["all", "member"])
def test_the_file_has_the_filters_and_the_language(look, owner, url, many, visit, ask):
    for index, member in enumerate(many(6)):
        visit(member, f"v{index}")
    owner.cookies["django_language"] = "fr"
    file = ask("movements", kind="earn", by=look, page=2)
    due.sweep()
    sheet = sheet_of(owner.get(url("file", file.uuid)))
    assert sheet.max_row == 7
    assert sheet["A1"].value == ("Date" if look == "all" else "Numéro de carte")


def test_a_formula_in_a_name_stays_a_text(owner, url, many, ask):
    [*_others, last] = many(5)
    last.first_name = "=1+1"
    last.save()
    file = ask()
    due.sweep()
    cells = [row[1] for row in sheet_of(owner.get(url("file", file.uuid))).iter_rows()]
    [cell] = [cell for cell in cells if cell.value == "=1+1"]
    assert cell.data_type in ("s", "inlineStr")


def test_nobody_else_sees_a_file(owner, client, url, many, ask, staff):
    many(5)
    file = ask()
    due.sweep()
    client.force_login(staff("view_loyalty", username="other"))
    assert "No files yet" in text_of(client.get(url("files")))
    for name in ("file", "file-progress"):
        assert client.get(url(name, file.uuid)).status_code == 404
    assert client.post(url("file-again", file.uuid)).status_code == 404
    client.force_login(staff("manage_cards", username="cashier"))
    assert client.get(url("file", file.uuid)).status_code == 403


def test_a_file_goes_after_some_days(time, owner, url, many, ask, settings):
    settings.OSCAR_LOYALTY_EXPORT_DAYS = 3
    many(5)
    file = ask()
    due.sweep()
    time.advance(days=2)
    assert owner.get(url("file", file.uuid)).status_code == 200
    time.advance(days=1, hours=10)
    assert owner.get(url("file", file.uuid)).status_code == 200
    assert "03/05/2026" in text_of(owner.get(url("files")))
    time.advance(hours=1)
    assert owner.get(url("file", file.uuid)).status_code == 404
    files.forget()
    assert not ExportFile.objects.exists() and not get_model("loyalty_reports", "ExportPiece").objects.exists()


def test_asked_for_twice_it_is_one_file_and_not_too_many_wait(time, owner, url, many, ask, monkeypatch):
    many(5)
    ask()
    ask()
    assert ExportFile.objects.count() == 1
    ask(q="last")
    assert ExportFile.objects.count() == 2
    monkeypatch.setattr(files, "WAITING", 2)
    owner.get(url("members-export", "xlsx"), {"q": "first"})
    assert ExportFile.objects.count() == 2
    assert "still being made" in text_of(owner.get(url("files")))


def test_what_fails_is_said_and_can_be_tried_again(time, owner, url, many, ask, monkeypatch):
    many(5)
    file = ask()
    with monkeypatch.context() as patch:
        patch.setattr(exports, "xlsx_file", lambda *_args, **_options: 1 / 0)
        due.sweep()
    file.refresh_from_db()
    assert file.state == "failed" and "Try again" in text_of(owner.get(url("files")))
    assert owner.post(url("file-again", file.uuid)).status_code == 302
    due.sweep()
    assert owner.get(url("file", file.uuid)).status_code == 200


def test_a_worker_that_was_killed_is_followed_by_another(time, owner, url, many, ask):
    many(5)
    file = ask()
    ExportFile.objects.filter(pk=file.pk).update(state="running", run=1, done=2, heard_at=clock.now())
    # It may be alive: it is left alone.
    due.sweep()
    file.refresh_from_db()
    assert (file.state, file.run) == ("running", 1)
    time.advance(minutes=6)
    due.sweep()
    file.refresh_from_db()
    assert (file.state, file.run, file.done) == ("ready", 2, 5)
    assert sheet_of(owner.get(url("file", file.uuid))).max_row == 6


def test_a_run_that_was_overtaken_stops(time, many, ask, owner, url, monkeypatch):
    many(5)
    file = ask()
    listed = files._lists["members"]

    def overtaken(programme, query):
        ExportFile.objects.filter(pk=file.pk).update(run=9)
        return listed(programme, query)

    with monkeypatch.context() as patch:
        patch.setitem(files._lists, "members", overtaken)
        files.make(file=file)
    file.refresh_from_db()
    assert file.state == "running" and not file.pieces.exists()


def test_pieces_are_put_together(time, owner, url, many, ask, monkeypatch):
    monkeypatch.setattr(files, "PIECE", 500)
    many(9)
    file = ask()
    due.sweep()
    assert file.pieces.count() > 3
    assert sheet_of(owner.get(url("file", file.uuid))).max_row == 10


def test_lists_are_read_by_key_whoever_joins_meanwhile(many, programme):
    made = many(7)
    rows = get_model("loyalty_members", "Member").objects.filter(programme=programme)
    rows.filter(pk__in=[member.pk for member in made[2:5]]).update(joined_at=clock.now())
    found = []
    for part in exports.newest_first(rows, "joined_at", 2):
        assert len(part) <= 2
        found += [member.pk for member in part]
    assert found == list(rows.order_by("-joined_at", "-pk").values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_celery_worker_makes_it(worker, settings, owner, many):  # noqa: F811
    """A process of its own, with the limits of a real shop; so the file is asked for by its service."""
    settings.OSCAR_LOYALTY_WORKER = "celery"
    many(5)
    programme = get_model("loyalty_members", "Programme").objects.get()
    user = ExportFile._meta.get_field("user").related_model.objects.get(username="boss")
    file = files.ask(programme=programme, user=user, name="members", filters="", title="Members", key="celery")
    wait_for(lambda: ExportFile.objects.get(pk=file.pk).state == "ready", worker)
    response = owner.get(reverse("loyalty-dashboard:loyalty-file", args=[file.uuid]))
    assert sheet_of(response).max_row == 6
