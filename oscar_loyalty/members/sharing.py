"""All reads of sharing: the terms, who is meant, what waits for an answer, and what was given."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, CharField, F, Q, QuerySet, Sum, Value

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors

DAY, MONTH = timedelta(days=1), timedelta(days=30)


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


def policy_of(programme: Any) -> Any:
    """Return the programme's terms; before the owner has saved any, nothing can be given."""
    return selectors.terms_of(programme, "sharing")


def whom(to: str, programme: Any) -> Any:
    """Return the member whose e-mail or card number was typed, or ``None``."""
    to = to.strip()
    if "@" not in to:
        return selectors.by_number(to, programme)
    rows = _model("Member").objects.filter(programme=programme, email__iexact=to, merged_into__isnull=True)
    # Who has an account in the shop comes first, since they can answer there.
    rows = rows.exclude(status="closed").order_by(F("user_id").asc(nulls_last=True), "joined_at", "pk")
    return rows.select_related("account", "tier").first()


def household_of(member: Any) -> Any:
    """Return the household that ``member`` is in, or ``None``."""
    found = _model("HouseholdMember").objects.filter(member=member).select_related("household").first()
    return found.household if found is not None else None


def people_of(household: Any) -> list[Any]:
    """Return the rows of who is in a household, with the members; the first may take others out."""
    rows = household.people.select_related("member__programme", "member__account").order_by("joined_at", "pk")
    return list(rows)


def person(pk: int) -> Any:
    """Return the row of who is in some household, by its primary key, or ``None``."""
    return _model("HouseholdMember").objects.select_related("household", "member").filter(pk=pk).first()


def together(one: Any, other: Any) -> bool:
    """Whether both are in one household; asked about nobody as well, so that it takes as long."""
    rows = _model("HouseholdMember").objects.filter(member__in=[one.pk, other.pk if other is not None else 0])
    found = list(rows.values_list("household", flat=True))
    return len(found) == 2 and found[0] == found[1]


def open_gifts(**which: Any) -> QuerySet[Any]:
    return _model("Transfer").objects.filter(state="open", until__gt=clock.now(), **which)


def waiting_for(member: Any) -> QuerySet[Any]:
    """Return the gifts of points that wait for the answer of ``member``, the oldest first."""
    rows = open_gifts(target=member).select_related("source", "programme")
    return rows.order_by("created_at", "pk")


def invitations_for(member: Any) -> QuerySet[Any]:
    """Return the invitations to households that wait for the answer of ``member``."""
    rows = _model("HouseholdInvitation").objects.filter(member=member, state="open", until__gt=clock.now())
    return rows.select_related("invited_by", "household").order_by("created_at", "pk")


def all_waiting(member: Any, *, households: bool, most: int) -> tuple[list[tuple[str, int]], list[str]]:
    """Return who gives ``member`` how many points, and who invites them home, as far as an answer is waited for: the
    first ``most`` of each, in one query."""
    who = ("first_name", "last_name", "email")
    gifts = open_gifts(target=member).order_by()
    rows = gifts.annotate(what=Value("gift", CharField()))
    rows = rows.values_list("what", "created_at", "pk", *(f"source__{field}" for field in who), "units")
    if households:
        invited = invitations_for(member).select_related(None).order_by()
        invited = invited.annotate(what=Value("home", CharField()), none=Value(0, BigIntegerField()))
        said = ("what", "created_at", "pk", *(f"invited_by__{field}" for field in who), "none")
        rows = rows.union(invited.values_list(*said), all=True)
    found: dict[str, list[Any]] = {"gift": [], "home": []}
    # Invitations come first: of these there are never many.
    for kind, _at, _pk, *names, units in rows.order_by("-what", "created_at", "pk")[: 4 * most]:
        found[kind].append((name_for_others(_model("Member")(**dict(zip(who, names, strict=True)))), units))
    return found["gift"][:most], [name for name, _units in found["home"][:most]]


def invited_by(household: Any) -> QuerySet[Any]:
    """Return the invitations of a household that wait for their answer."""
    return household.invitations.filter(state="open", until__gt=clock.now()).select_related("invited_by")


def gifts_of(member: Any) -> QuerySet[Any]:
    """Return what ``member`` has given or received, newest first; of what came, only what was accepted."""
    came = Q(target=member, state="done")
    rows = _model("Transfer").objects.filter(Q(source=member) | came)
    return rows.select_related("source", "target", "programme").order_by("-created_at", "-pk")


def given_since(member: Any, since: datetime) -> int:
    """Return how many points ``member`` has given, or offered and not got back, after ``since``."""
    now = clock.now()
    rows = _model("Transfer").objects.filter(source=member, created_at__gt=since)
    rows = rows.filter(Q(state="done") | Q(state="open", until__gt=now))
    return int(rows.aggregate(total=Sum("units"))["total"] or 0)


def left_to_give(member: Any, policy: Any) -> int | None:
    """Return how many points the limits leave ``member`` to give now; ``None``: as many as there are."""
    now = clock.now()
    left = [
        limit - given_since(member, now - span)
        for limit, span in ((policy.per_day, DAY), (policy.per_month, MONTH))
        if limit is not None
    ]
    if policy.maximum is not None:
        left.append(policy.maximum)
    return max(0, min(left)) if left else None


def search(programme: Any, *, words: str = "", state: str = "") -> QuerySet[Any]:
    """Return the programme's gifts of points for staff, newest first."""
    rows = _model("Transfer").objects.filter(programme=programme)
    for word in words.split():
        match = Q(to__icontains=word)
        for side in ("source", "target"):
            for field in ("first_name", "last_name", "email", "number"):
                match |= Q(**{f"{side}__{field}__icontains": word})
        rows = rows.filter(match)
    now = clock.now()
    if state == "open":
        rows = rows.filter(state="open", until__gt=now)
    elif state == "expired":
        rows = rows.filter(Q(state="expired") | Q(state="open", until__lte=now))
    elif state:
        rows = rows.filter(state=state)
    return rows.select_related("source", "target", "programme").order_by("-created_at", "-pk")


def name_for_others(member: Any) -> str:
    """Return what other members read of somebody: the name they go by, never the e-mail or the card number."""
    if member.first_name:
        return f"{member.first_name} {member.last_name[:1]}." if member.last_name else str(member.first_name)
    return member.last_name or (f"{member.email[:1].upper()}." if member.email else "–")
