"""Whoever sends more fields than a form shows, changes no more than it shows; who may only look, changes nothing."""

from urllib.parse import urljoin

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction

from oscar_loyalty.dashboard.navigation import VIEW
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving
from tests.attacks import addresses, pages
from tests.simulation.scales import Scales, difference

WORD, NUMBER = "sent besides", 987_654
TEXTS = ["status", "state", "kind", "key", "code", "currency", "number", "username", "actor_id", "actor_type", "why"]
NUMBERS = [
    "points", "balance", "units", "value", "price", "total", "remaining", "held", "debt", "stock", "taken", "pk", "id",
    "sequence", "generation", "balance_after", "limit", "rank",
]  # fmt: skip
#: Of these, what belongs to the other shop is sent.
OTHERS = {
    *("programme", "member", "tier", "account", "source", "target", "friend", "reward", "site", "user", "owner"),
    "buyer",
}
FLAGS = ["is_staff", "is_superuser", "is_active", "paid", "approved"]


class Senders:
    """Sends forms, and says what each has changed."""

    def __init__(self, client, extra):
        self.client, self.extra = client, extra
        self.scales, self.sent, self.done = Scales(), 0, 0
        self.scales.tables = (*self.scales.tables, "auth_user")

    def send(self, path, form, more=()):
        block = transaction.atomic()
        block._from_testcase = True
        with block:
            before = self.scales.afresh()
            response = self.client.post(path, {**form.filled(), **dict(more)})
            after = self.scales.afresh()
            transaction.set_rollback(True)
        self.sent += 1
        assert response.status_code < 500, path
        come = {}
        for table in difference(before, after):
            was = {repr(row) for row in before[table]}
            come[table] = [row for row in self.scales.dicts(after, table) if repr(tuple(row.values())) not in was]
        self.done += bool(come)
        return come

    def smuggle(self, path, form):
        """Send all that the form does not ask for; return what of it has arrived."""
        more = {name: value for name, value in self.extra.items() if name not in form.names}
        found = []
        for table, rows in self.send(path, form, more.items()).items():
            for row in rows:
                for column, value in row.items():
                    name = column.removesuffix("_id")
                    if value in (WORD, NUMBER) or (name in more and name in OTHERS and str(value) == more[name]):
                        found.append(f"{path}: {table}.{column} is {value!r}")
                    if table == "auth_user" and column in ("is_staff", "is_superuser") and value:
                        found.append(f"{path}: {column}")
        return found


@pytest.fixture
def extra(full):
    """What is sent besides, the keys being those of the other shop."""
    other = full[1]
    user = get_user_model().objects.get(username="beta0")
    found = {name: str(user.pk) for name in ("user", "owner", "buyer")}
    found |= {name: str(other.member.pk) for name in ("member", "source", "target", "friend")}
    found |= {
        "programme": str(other.programme.pk),
        "site": str(other.site.pk),
        "account": str(other.member.account.pk),
        "tier": str(get_model("loyalty_members", "Tier").objects.filter(programme=other.programme).latest("pk").pk),
        "reward": str(get_model("loyalty_rewards", "Reward").objects.get(programme=other.programme).pk),
    }
    found |= dict.fromkeys(TEXTS, WORD) | dict.fromkeys(NUMBERS, str(NUMBER)) | dict.fromkeys(FLAGS, "on")
    return found


def forms_of(client, paths):
    """Yield the forms of pages that change something, once each; of a kind of pages, of the first two that open."""
    seen = set()
    for path, page in opened(client, paths):
        for form in pages.forms(page):
            to = urljoin(path, form.action.split("#")[0])
            key = (to, tuple(form.names))
            if form.method == "post" and key not in seen and "logout" not in to and to.startswith("/"):
                seen.add(key)
                yield to, form


def opened(client, paths):
    for kind in paths:
        found = 0
        for path in kind:
            page = client.get(path)
            if page.status_code == 200:
                found += 1
                yield path, page
            if found == 2:
                break


def dashboard(doors):
    return list(doors.dashboard.values())


def test_staff_send_more_than_a_form_of_the_dashboard_shows(full, doors, boss, extra):
    client = full[0].client(boss)
    senders = Senders(client, extra)
    told = [one for path, form in forms_of(client, dashboard(doors)) for one in senders.smuggle(path, form)]
    assert not told, "\n".join(told)
    # Else nothing was sent that could have carried anything.
    assert senders.sent > 60, senders.sent
    assert senders.done > 30, senders.done


def test_a_member_sends_more_than_a_form_shows(full, extra):
    member = get_model("loyalty_members", "Member").objects.get(email="alpha0@example.com")
    giving.save_policy(programme=full[0].programme, is_active=True, households=True, minimum=10)
    client = full[0].client(member.user)
    paths = [[one.fill([])] for one in addresses.every() if not one.holes and "dashboard" not in one.route]
    senders = Senders(client, extra)
    told = [one for path, form in forms_of(client, paths) for one in senders.smuggle(path, form)]
    assert not told, "\n".join(told)
    assert senders.sent >= 10, senders.sent
    assert senders.done > 3, senders.done


def test_who_may_only_look_changes_nothing(full, doors, boss, django_user_model, unchanged):
    looker = django_user_model.objects.create_user("looker", "looker@example.com", "x", is_staff=True)
    label, code = VIEW.split(".")
    looker.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=code))
    client, sent = full[0].client(looker), 0
    assert client.get("/dashboard/loyalty/members/").status_code == 200
    with unchanged("who may only look changed something"):
        for path, form in forms_of(full[0].client(boss), dashboard(doors)):
            if path.startswith("/dashboard/loyalty/"):
                sent += 1
                client.post(path, form.filled())
    assert sent > 60
