from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet
from stdnum import luhn

from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.selectors import survivor
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.sites import default_site, of_site, site_id_of, site_of
from oscar_loyalty.sql import Database


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


#: What stands beside a programme and a member, one row each, and is read along with them for a page; other rooms add
#: theirs.
BESIDE_PROGRAMME, BESIDE_MEMBER = {"sharing", "tier_scheme"}, {"tier_term"}


def along(row: Any, name: str) -> Any:
    """Return the one row that stands beside ``row`` by that name, or ``None``.

    Without a query where a page has read it along; whoever writes gets rows that have not, and so what is true now.
    """
    if name in getattr(row, "_loyalty_along", ()) and name in row._state.fields_cache:
        return row._state.fields_cache[name]
    relation = row._meta.get_field(name)
    return _beside(row, relation, relation.related_model.objects.filter(**{relation.field.name: row.pk}).first())


def _read_along(row: Any, names: Iterable[str]) -> Any:
    """Note that ``names`` were read together with ``row``. Not all that Django knows of them is as fresh: it also
    remembers what was once made for a row."""
    if row is not None:
        row._loyalty_along = frozenset(names)
    return row


def _beside(row: Any, relation: Any, found: Any) -> Any:
    """Let ``found`` know ``row``, not the other way round: what ``row`` knew would be old once ``found`` is saved."""
    if found is not None:
        relation.field.set_cached_value(found, row)
    return found


def terms_of(programme: Any, name: str) -> Any:
    """Return the terms of that name that the owner has saved, or unsaved what holds until then."""
    if (found := along(programme, name)) is not None:
        return found
    relation = programme._meta.get_field(name)
    return _beside(programme, relation, relation.related_model(**{relation.field.attname: programme.pk}))


def _reads(request: Any) -> bool:
    return request is not None and getattr(request, "method", "") in ("GET", "HEAD")


def programme_for(*, request: Any = None, site: Any = None) -> Any:
    """Return the open programme of the site (of ``request``, or the default one), or ``None``."""
    if request is not None and hasattr(request, "_loyalty_programme"):
        return request._loyalty_programme
    site = site or site_of(request)
    rows = _model("Programme").objects.filter(site_id=site.pk, is_active=True)
    if _reads(request):
        found = _read_along(rows.select_related(*BESIDE_PROGRAMME).first(), BESIDE_PROGRAMME)
    else:
        found = rows.first()
    if request is not None:
        request._loyalty_programme = found
    return found


def programme_of(site: Any = None) -> Any:
    """Return the programme of a site (default: the default one), open or not, or ``None``."""
    site = site or default_site()
    return _model("Programme").objects.filter(site_id=site.pk).first()


def programme_of_order(order: Any) -> Any:
    """Return the programme of the order's Site (where it names none: of the default one), open or not, or ``None``."""
    return _model("Programme").objects.filter(site_id=site_id_of(order)).first()


def orders_of(programme: Any) -> QuerySet[Any]:
    """Return the orders that :func:`programme_of_order` says are the programme's."""
    return get_model("order", "Order").objects.filter(of_site(programme.site_id))


def programmes() -> QuerySet[Any]:
    """Return all programmes with their sites, by the sites' names."""
    return _model("Programme").objects.select_related("site").order_by("site__name", "pk")


def member_for(user: Any, programme: Any, *, beside: bool = False) -> Any:
    """Return the membership of ``user``, with account and tier, or ``None``; for a page also what stands ``beside``."""
    if programme is None or user is None or not getattr(user, "pk", None):
        return None
    members = _model("Member").objects.filter(programme=programme, user=user)
    if not beside:
        return members.select_related("account", "tier", "programme").first()
    found = _read_along(members.select_related("account", "tier", *BESIDE_MEMBER).first(), BESIDE_MEMBER)
    if found is not None:
        found.programme = programme
    return found


def member_of_request(request: Any) -> Any:
    """Return the member who asks, or ``None``; looked up once for each request."""
    if not hasattr(request, "_loyalty_member"):
        user = getattr(request, "user", None)
        signed_in = user is not None and user.is_authenticated
        request._loyalty_member = _member_of(user, request) if signed_in else None
    return request._loyalty_member


def _member_of(user: Any, request: Any) -> Any:
    reads = _reads(request)
    if hasattr(request, "_loyalty_programme"):
        return member_for(user, request._loyalty_programme, beside=reads)
    beside = {*BESIDE_MEMBER, *(f"programme__{name}" for name in BESIDE_PROGRAMME)} if reads else set()
    rows = _model("Member").objects.filter(user=user, programme__site=site_of(request).pk, programme__is_active=True)
    member = rows.select_related("account", "tier", "programme", *beside).first()
    if member is not None:
        # One query for both.
        request._loyalty_programme = member.programme
        if reads:
            _read_along(member, BESIDE_MEMBER)
            _read_along(member.programme, BESIDE_PROGRAMME)
    return member


def key_of_request(request: Any) -> int | None:
    """Return the primary key of the member who asks, or ``None``, for whoever needs nothing else of them."""
    if hasattr(request, "_loyalty_member"):
        return request._loyalty_member.pk if request._loyalty_member is not None else None
    if not request.user.is_authenticated:
        return None
    db = Database(_model("Member"), reading=True)
    found = db.rows(
        "SELECT m.id FROM $members m JOIN $programmes p ON p.id = m.programme_id"
        " WHERE m.user_id = %s AND p.site_id = %s AND p.is_active",
        [request.user.pk, site_of(request).pk],
        members=db.table(_model("Member")),
        programmes=db.table(_model("Programme")),
    )
    return found[0][0] if found else None


def balance_of_request(request: Any) -> Any:
    """Return the balance of the member who asks, with its dates; ``None`` for others. Looked up once, as
    :func:`usable_of_request` is."""
    member = member_of_request(request)
    if member is None:
        return None
    balance = ledger.balance(member.account)
    request._loyalty_usable = balance.usable
    return balance


def usable_of_request(request: Any) -> int:
    """Return the points that the member who asks can spend, looked up once for each request that only reads; 0 for
    others."""
    member = member_of_request(request)
    if member is None:
        return 0
    if request.method not in ("GET", "HEAD"):
        return ledger.usable(member.account)
    if not hasattr(request, "_loyalty_usable"):
        request._loyalty_usable = ledger.usable(member.account)
    return int(request._loyalty_usable)


def by_email(email: str, programme: Any) -> Any:
    """Return the member without an account in the shop who has this e-mail, or ``None``."""
    rows = _model("Member").objects.filter(programme=programme, user__isnull=True, merged_into__isnull=True)
    return rows.filter(email__iexact=email.strip()).select_related("account", "tier", "programme").first()


def by_number(number: str, programme: Any) -> Any:
    """Return the member with a card number, however it was typed, or ``None``.

    The number of a membership that was joined with another finds that other one.
    """
    digits = "".join(character for character in number if character.isdigit())
    if len(digits) != 12 or not luhn.is_valid(digits):
        return None
    rows = _model("Member").objects.filter(programme=programme).select_related("account", "tier", "programme")
    found = rows.filter(number=digits).first()
    return found if found is None or found.merged_into_id is None else rows.get(pk=survivor(found).pk)


def _exactly(programme: Any, word: str) -> Q | None:
    """Return the condition for whoever has just this e-mail or card number, if somebody has: an index answers it."""
    rows = _model("Member").objects.filter(programme=programme).order_by()
    digits = word.replace("-", "").replace(".", "")
    if digits.isdecimal() and len(digits) == 12:
        found = rows.filter(number=digits).values_list("pk", "merged_into").first()
        return Q(pk=found[1] or found[0]) if found is not None else None
    if "@" in word and rows.filter(email=word.lower(), merged_into__isnull=True).exists():
        return Q(email=word.lower())
    return None


#: Old cards that a search looks behind. Few digits are in so many that they find nobody in particular.
OLD_CARDS = 1000


def search(programme: Any, words: str = "", *, tier: Any = None, status: str = "") -> QuerySet[Any]:
    """Return the members that match: every word in a name, e-mail or card number; newest first."""
    members = _model("Member").objects.filter(programme=programme, merged_into__isnull=True)
    for word in words.split():
        exactly = _exactly(programme, word)
        if exactly is not None:
            members = members.filter(exactly)
            continue
        # Only what is written as a number: the "1" of "rose1@example.com" is in half of all card numbers.
        digits = word.replace("-", "").replace(".", "")
        match = Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word)
        if digits.isdecimal():
            # The old card of whoever was joined with this one finds them too.
            old = _model("Member").objects.filter(merged_into__isnull=False, number__contains=digits)
            found = list(old.order_by().values_list("merged_into", flat=True)[:OLD_CARDS])
            match |= Q(number__contains=digits) | Q(pk__in=found)
        members = members.filter(match)
    if tier:
        members = members.filter(tier=tier)
    if status:
        members = members.filter(status=status)
    return members.select_related("account", "tier").order_by("-joined_at", "-pk")


def outsiders(programme: Any, *, staff: bool = False) -> QuerySet[Any]:
    """Return the active users who are not members of ``programme``; those of the staff only if asked for."""
    User = get_user_model()
    own = _model("Member").objects.filter(programme=programme, user=OuterRef("pk"))
    # Not by a list of all members' users: a database without the memory for it would go through it for each user.
    users = User.objects.filter(~Exists(own), is_active=True)
    anonymous = getattr(settings, "ANONYMOUS_USER_NAME", "AnonymousUser")
    if anonymous:
        users = users.exclude(**{User.USERNAME_FIELD: anonymous})
    return (users if staff else users.filter(is_staff=False)).order_by("pk")


def tiers(programme: Any) -> QuerySet[Any]:
    """Return the tiers from the lowest to the highest."""
    return _model("Tier").objects.filter(programme=programme).order_by("rank")


def tier_at(member: Any, at: datetime) -> Any:
    """Return the tier that ``member`` had at ``at``."""
    change = member.tier_changes.filter(happened_at__lte=at).select_related("after").first()
    if change is not None:
        return change.after
    later = member.tier_changes.order_by("happened_at", "pk").select_related("before").first()
    return later.before if later is not None else member.tier


def is_own(member: Any, user: Any) -> bool:
    """Return whether ``member`` is ``user``: an e-mail-only membership with one's own address is one's own as well."""
    if user is None:
        return False
    mine = user.email.strip().lower() if user.email else ""
    return member.user_id == user.pk or bool(member.user_id is None and mine and member.email.lower() == mine)


def may_spend(member: Any) -> bool:
    """Return whether ``member`` may spend points, wherever that is: not on hold, nor closed, in an open programme."""
    return bool(member is not None and member.status == "active" and member.programme.is_active)


def rests(members: Iterable[Any]) -> Callable[[Any, datetime], bool]:
    """Return a function that says whether a member was on hold or closed at a moment; one query for all."""
    changes: dict[int, list[Any]] = defaultdict(list)
    rows = _model("StatusChange").objects.filter(member__in=[member.pk for member in members])
    for change in rows.order_by("happened_at", "pk"):
        changes[change.member_id].append(change)

    def rested(member: Any, moment: datetime) -> bool:
        status = "active"
        for change in changes.get(member.pk, ()):
            if change.happened_at > moment:
                break
            status = change.after
        return status != "active"

    return rested
