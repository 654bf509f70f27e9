"""How decisions are written: the wishes of a branch are read, decided from the top down, and what differs is stored."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from wagtail.models import Page, PageViewRestriction, Revision, WorkflowState

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.groups import Belonging
from oscar_loyalty.members.holdings import person_of
from oscar_loyalty.members.locking import lock_heirs
from wagtail_club import access, indexing, turns, wording
from wagtail_club.access import EVERYBODY, HELD, INHERITED, NO_WISH, STEP, Audience, Wish


def _model(name: str) -> Any:
    return get_model("wagtail_club", name)


@dataclass
class Row:
    """A page of the branch: where it stands, what is wished, and what is stored of it so far."""

    pk: int
    path: str
    alias_of: int | None
    wish: Wish = NO_WISH
    #: What is stored of its place; the wish may have been told another.
    place: str = ""
    known: bool = False
    #: Whether the club's search has its words.
    told: bool = False
    closed: bool = False
    teased: bool = False
    tier: Any = None
    guest_group: int | None = None
    restriction: int | None = None
    permitted: frozenset[int] = frozenset()
    #: The groups of each of its view restrictions.
    mirrors: dict[int, frozenset[int]] = field(default_factory=dict)
    #: Those of them that ask for something else than a group.
    loose: set[int] = field(default_factory=set)

    @property
    def stored(self) -> Audience:
        return Audience(self.closed, self.tier, self.permitted)

    @property
    def concerned(self) -> bool:
        """Whether the club has anything to do with this page."""
        return self.wish.model is not None or self.known


def _by(pairs: Iterable[tuple[int, int]]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return {key: frozenset(values) for key, values in found.items()}


def read(pages: Q, on_page: Q) -> list[Row]:
    """Return the rows of the pages that match, from the top down; ``on_page`` is the same condition one step away."""
    rows = {
        pk: Row(pk, path, alias_of)
        for pk, path, alias_of in Page.objects.filter(pages).order_by("path").values_list("pk", "path", "alias_of")
    }
    tiers = {tier.pk: tier for tier in get_model("loyalty_members", "Tier").objects.all()}
    # A page goes on naming a group that somebody has deleted.
    real = frozenset(Group.objects.values_list("pk", flat=True))
    for model in access.club_models():
        values = model.objects.filter(pages).values_list(
            "pk", "audience", "minimum_tier", "guests", "closed_by_place", "teased"
        )
        for pk, audience, tier, guests, place, teased in values:
            members, groups = access.named(guests.get_prep_value())
            own = tiers.get(tier) if audience == "tier" else None
            rows[pk].wish = Wish(audience, own, members, groups & real, place, teased, model)
            rows[pk].place = place
    for entry in _model("PageAccess").objects.filter(on_page).defer("words").annotate(told=~Q(words="")):
        row = rows[entry.page_id]
        row.told = entry.told
        row.known, row.closed, row.teased, row.tier = True, entry.closed, entry.teased, tiers.get(entry.tier_id)
        row.guest_group, row.restriction = entry.guest_group_id, entry.restriction_id
        if entry.held:
            row.place, row.wish = HELD, replace(row.wish, place=HELD)
    given = _model("PageGroupPermission").objects.filter(permission__codename=access.SEE)
    given = given.filter(content_object__in=list(rows)) if len(rows) < 500 else given
    for pk, groups in _by(given.values_list("content_object", "group")).items():
        if pk in rows:
            rows[pk].permitted = groups
    of_mirror = _by(
        PageViewRestriction.groups.through.objects.filter(
            pageviewrestriction__in=PageViewRestriction.objects.filter(on_page)
        ).values_list("pageviewrestriction", "group")
    )
    for pk, page, kind in PageViewRestriction.objects.filter(on_page).values_list("pk", "page", "restriction_type"):
        rows[page].mirrors[pk] = of_mirror.get(pk, frozenset())
        if kind != PageViewRestriction.GROUPS:
            rows[page].loose.add(pk)
    return list(rows.values())


class Settling:
    """One run of decisions; :func:`wagtail_club.access.settle` and its neighbours are its doors."""

    def __init__(self) -> None:
        self.permission = access.permission()
        self.changed: set[int] = set()
        self.decided: dict[int, Row] = {}

    # Doors

    def settle(
        self, *, page_pk: int, words: str | None = None, release: bool = False, copied_from: int | None = None
    ) -> None:
        turns.take()
        row = self._one(page_pk)
        parent = self._parent(row)
        # Of what it is an alias or a copy of, a page that is not of the club has nothing but this.
        source = row.alias_of or copied_from
        stored = access.stored({parent, source} - {None})
        place, original = stored.get(parent, EVERYBODY), stored.get(source, EVERYBODY)
        if not row.concerned and not place.closed and not original.closed:
            return
        if release:
            row.wish = replace(row.wish, place="")
        else:
            self._hold(row, place, copied=original)
        if self._apply([row], {row.path[:-STEP]: place}, words={page_pk: words} if words is not None else {}):
            self._branch(row, place)
        self._aliases()
        self._store_guests()

    def rebuild(self) -> int:
        turns.take()
        rows = read(Q(), Q())
        self._apply(rows, {})
        self._aliases()
        self._store_guests()
        indexing.renew(closed=indexing.wrongly_indexed(), opened=())
        return sum(row.concerned for row in rows)

    def differences(self) -> Iterator[tuple[int, str]]:
        rows = read(Q(), Q())
        guests = self._guest_users(rows)
        for row, audience in self._decisions(rows, {}):
            if not row.concerned and not audience.closed:
                continue
            if row.closed != audience.closed:
                yield row.pk, "is closed, and should be open" if row.closed else "is open, and should be closed"
            if row.permitted != audience.groups:
                yield row.pk, f"permits groups {sorted(row.permitted)}, should be {sorted(audience.groups)}"
            if row.closed and audience.closed and row.tier != audience.tier:
                yield row.pk, f"names another tier than the one that opens it: {row.tier}, should be {audience.tier}"
            if row.known and row.teased != row.wish.teased:
                yield row.pk, "is announced, and should not be" if row.teased else "is not announced, and should be"
            mirrored = row.mirrors.get(row.restriction or 0) == audience.groups and row.restriction not in row.loose
            if audience.closed and not mirrored:
                yield row.pk, "is not mirrored in Wagtail's view restrictions"
            if row.wish.model is not None and set(row.mirrors) - {row.restriction}:
                yield row.pk, "has a view restriction that is not the club's"
            if row.guest_group and guests[row.guest_group] != entitled(row.wish.members):
                yield row.pk, "has other people in the group of its guests than it names"

    # Reading

    @staticmethod
    def _one(pk: int) -> Row:
        return read(Q(pk=pk), Q(page=pk))[0]

    @staticmethod
    def _parent(row: Row) -> int | None:
        return Page.objects.filter(path=row.path[:-STEP]).values_list("pk", flat=True).first()

    @staticmethod
    def _hold(row: Row, place: Audience, *, copied: Audience) -> None:
        """Keep closed what its place had closed, and what is saved where it would be open."""
        # A page that is not of the club has no field to remember its place: it was closed, or that of which it is a
        # copy, so its place had closed it.
        inside = row.wish.place or (row.wish.model is None and (row.closed or copied.closed))
        if inside and row.wish.audience == "same" and not place.closed and row.alias_of is None:
            row.wish = replace(row.wish, place=HELD)

    @staticmethod
    def _place(row: Row, audience: Audience) -> str:
        """Return what the page is to remember of its place: one that is held stays so, whatever is closed above it and
        opened again."""
        if row.wish.audience != "same" or not audience.closed:
            return ""
        return HELD if row.wish.place == HELD else INHERITED

    def _branch(self, top: Row, place: Audience) -> None:
        below = Q(path__startswith=top.path) & ~Q(pk=top.pk)
        rows = read(below, Q(page__path__startswith=top.path) & ~Q(page=top.pk))
        if rows:
            self._apply(rows, {top.path: access.stored([top.pk]).get(top.pk, EVERYBODY)})

    def _aliases(self) -> None:
        """Settle the aliases of all that has changed, and what lies below them, until nothing changes."""
        done: set[int] = set()
        while self.changed:
            todo = Page.objects.filter(alias_of__in=self.changed).exclude(pk__in=done).order_by("path")
            self.changed = set()
            for pk in list(todo.values_list("pk", flat=True)):
                done.add(pk)
                row = self._one(pk)
                parent = self._parent(row)
                place = access.stored([parent]).get(parent, EVERYBODY) if parent else EVERYBODY
                if self._apply([row], {row.path[:-STEP]: place}):
                    self._branch(row, place)

    # Deciding and writing

    def _decisions(
        self, rows: list[Row], above: dict[str, Audience], *, writing: bool = False
    ) -> Iterator[tuple[Row, Audience]]:
        """Decide of rows, those above first; ``writing``: a page that needs a group for its guests is given one."""
        by_path = dict(above)
        in_hand = {row.pk: row for row in rows}
        outside = [row.alias_of for row in rows if row.alias_of and row.alias_of not in in_hand]
        decided = access.stored(outside)
        for row in rows:
            source = None
            if row.alias_of:
                source = decided.get(row.alias_of) or (
                    in_hand[row.alias_of].stored if row.alias_of in in_hand else EVERYBODY
                )
            place = by_path.get(row.path[:-STEP], EVERYBODY)
            audience = access.decide(row.wish, place=place, source=source, guest_group=row.guest_group)
            needs_group = audience.closed and row.guest_group is None and not row.alias_of
            if writing and needs_group and (row.wish.members or audience.tier is None):
                row.guest_group = group = self._guest_group(row)
                audience = Audience(True, audience.tier, audience.groups | {group})
            by_path[row.path] = decided[row.pk] = audience
            yield row, audience

    @staticmethod
    def _guest_group(row: Row) -> int:
        group, made = Group.objects.get_or_create(name=access.page_group(row.pk))
        if not made:
            group.user_set.clear()
        return group.pk

    def _apply(self, rows: list[Row], above: dict[str, Audience], words: dict[int, str] | None = None) -> bool:
        """Store what differs; return whether anything did that pages below or aliases hang on."""
        before = {row.pk: (row.known, row.stored) for row in rows}
        decided = self._decisions(rows, above, writing=True)
        pairs = [pair for pair in decided if pair[0].concerned or pair[1].closed]
        self._store_permissions(pairs)
        self._store_mirrors(pairs)
        self._store_access(pairs, self._unheard([row for row, _audience in pairs], words or {}))
        self.decided |= {row.pk: row for row, _audience in pairs}
        self._store_places(pairs)
        self._call_off([row.pk for row, audience in pairs if self._place(row, audience) == HELD != row.place])
        changed = {row.pk for row, audience in pairs if before[row.pk] != (True, audience)}
        indexing.renew(
            closed={row.pk for row, audience in pairs if audience.closed and not before[row.pk][1].closed},
            opened={row.pk for row, audience in pairs if before[row.pk][1].closed and not audience.closed},
        )
        self.changed |= changed
        return bool(changed)

    def _store_permissions(self, pairs: list[tuple[Row, Audience]]) -> None:
        Permitted = _model("PageGroupPermission")
        new = []
        for row, audience in pairs:
            if row.permitted - audience.groups:
                Permitted.objects.filter(
                    content_object=row.pk, permission=self.permission, group__in=row.permitted - audience.groups
                ).delete()
            new += [
                Permitted(content_object_id=row.pk, permission=self.permission, group_id=group)
                for group in audience.groups - row.permitted
            ]
        Permitted.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)

    def _store_mirrors(self, pairs: list[tuple[Row, Audience]]) -> None:
        Through = PageViewRestriction.groups.through
        closed, extra = [pair for pair in pairs if pair[1].closed], []
        for row, audience in pairs:
            # On a page of the club all restrictions are the club's; on others, those of the shop stay beside it.
            own = set(row.mirrors) if row.wish.model is not None else {row.restriction} - {None}
            extra += own - {row.restriction if audience.closed else None}
            if not audience.closed or row.restriction not in row.mirrors:
                row.restriction = None
        PageViewRestriction.objects.filter(pk__in=extra).delete()
        loose = [row.restriction for row, _audience in closed if row.restriction in row.loose]
        PageViewRestriction.objects.filter(pk__in=loose).update(
            restriction_type=PageViewRestriction.GROUPS, password=""
        )
        missing = [row for row, _audience in closed if row.restriction is None]
        made = PageViewRestriction.objects.bulk_create(
            [PageViewRestriction(page_id=row.pk, restriction_type="groups") for row in missing], batch_size=500
        )
        for row, restriction in zip(missing, made, strict=True):
            row.restriction = restriction.pk
            row.mirrors[restriction.pk] = frozenset()
        links = []
        for row, audience in closed:
            stands = row.mirrors[row.restriction or 0]
            if stands - audience.groups:
                Through.objects.filter(pageviewrestriction=row.restriction, group__in=stands - audience.groups).delete()
            links += [
                Through(pageviewrestriction_id=row.restriction, group_id=group) for group in audience.groups - stands
            ]
        Through.objects.bulk_create(links, batch_size=500)

    @staticmethod
    def _unheard(rows: list[Row], words: dict[int, str]) -> dict[int, str]:
        """Return ``words`` with those of the pages of the club that its search has none of: older than the club."""
        keys = [row.pk for row in rows if row.wish.model is not None and not row.told and row.pk not in words]
        if not keys:
            return words
        pages = Page.objects.filter(pk__in=keys).specific().iterator(chunk_size=100)
        return words | {page.pk: wording.words(page) for page in pages}

    def _store_access(self, pairs: list[tuple[Row, Audience]], words: dict[int, str]) -> None:
        PageAccess = _model("PageAccess")
        entries = [
            PageAccess(
                page_id=row.pk,
                closed=audience.closed,
                teased=row.wish.teased,
                tier=audience.tier,
                guest_group_id=row.guest_group,
                restriction_id=row.restriction,
                held=row.wish.model is None and self._place(row, audience) == HELD,
                words=words.get(row.pk, ""),
            )
            for row, audience in pairs
        ]
        told = [entry for entry in entries if entry.page_id in words]
        for batch, fields in ((told, ["words"]), ([entry for entry in entries if entry.page_id not in words], [])):
            PageAccess.objects.bulk_create(
                batch,
                batch_size=200,
                update_conflicts=True,
                unique_fields=["page"],
                update_fields=["closed", "teased", "tier", "guest_group", "restriction", "held", *fields],
            )

    def _store_guests(self) -> None:
        """Let in who is named, once all is decided: members are locked last, all together and in their order.

        Of one who is put on hold or leaves at this moment, either we see it, or whoever does that sees the name."""
        Guest = _model("PageGuest")
        named = [row for row in self.decided.values() if row.guest_group]
        if members := frozenset().union(*(row.wish.members for row in named)):
            lock_heirs(members)
        before = _by(Guest.objects.filter(page__in=[row.pk for row in named]).values_list("page", "member"))
        for row in named:
            wanted, stands = row.wish.members, before.get(row.pk, frozenset())
            if wanted != stands:
                Guest.objects.filter(page=row.pk).exclude(member__in=wanted).delete()
                real = get_model("loyalty_members", "Member").objects.filter(pk__in=wanted - stands)
                Guest.objects.bulk_create(
                    [Guest(page_id=row.pk, member_id=pk) for pk in real.values_list("pk", flat=True)],
                    ignore_conflicts=True,
                )
            fill(row.guest_group, entitled(wanted))

    def _store_places(self, pairs: list[tuple[Row, Audience]]) -> None:
        todo: dict[tuple[Any, str], list[int]] = {}
        for row, audience in pairs:
            if row.wish.model is not None:
                # What was held may have been decided in memory: the stored word is compared, not the remembered one.
                todo.setdefault((row.wish.model, self._place(row, audience)), []).append(row.pk)
        for (model, place), keys in todo.items():
            model.objects.filter(pk__in=keys).exclude(closed_by_place=place).update(closed_by_place=place)

    @staticmethod
    def _call_off(held: list[int]) -> None:
        """Call off what was planned or asked for where the pages stood: here, it would open them to everybody."""
        keys = [str(pk) for pk in held]
        for revision in Revision.page_revisions.filter(object_id__in=keys, approved_go_live_at__isnull=False):
            revision.approved_go_live_at = None
            revision.save(update_fields=["approved_go_live_at"])
        of_pages = ContentType.objects.get_for_model(Page)
        asked = WorkflowState.objects.active().filter(base_content_type=of_pages, object_id__in=keys)
        for state in asked.filter(current_task_state__isnull=False):
            state.cancel()

    # Guests

    def _guest_users(self, rows: list[Row]) -> dict[int, frozenset[int]]:
        groups = [row.guest_group for row in rows if row.guest_group]
        belonging = Belonging()
        found = _by(belonging.objects.filter(group__in=groups).values_list("group", belonging.user))
        return {group: found.get(group, frozenset()) for group in groups if group}


def entitled(members: frozenset[int]) -> frozenset[int]:
    """Return the users of the members who are named: those with an account, whose membership is neither on hold nor
    closed.

    A name stands for whom the membership has become: a query for each merge that one has been through.
    """
    found: set[int] = set()
    rows = get_model("loyalty_members", "Member").objects.all()
    waiting = members
    while waiting:
        named = list(rows.filter(pk__in=waiting).values_list("merged_into", "user", "status"))
        found |= {user for into, user, status in named if into is None and user is not None and status == "active"}
        waiting = frozenset(into for into, _user, _status in named if into is not None)
    return frozenset(found)


def is_copied_mirror(restriction: Any, source: int) -> bool:
    """Whether ``restriction`` of a copy or an alias is nothing but the copied mirror of the page ``source``."""
    groups = frozenset(restriction.groups.values_list("pk", flat=True))
    same = [
        row
        for row in PageViewRestriction.objects.filter(page=source, restriction_type=restriction.restriction_type)
        .select_related("club_access")
        .prefetch_related("groups")
        if frozenset(group.pk for group in row.groups.all()) == groups
    ]
    return bool(same) and all(hasattr(row, "club_access") for row in same)


def fill(group: Any, users: frozenset[int]) -> None:
    """Put exactly these users into the group of a page's guests."""
    belonging = Belonging()
    stands = set(belonging.objects.filter(group=group).values_list(belonging.user, flat=True))
    if stands - users:
        belonging.objects.filter(group=group, **belonging.of(stands - users)).delete()
    belonging.put((user, group) for user in users - stands)


def refresh_guest(member: Any) -> None:
    """Bring the guest lists that name ``member`` in step with the membership: opened, closed, given to an account."""
    pages = _model("PageGuest").objects.filter(member__in=person_of(member).members).values("page")
    for group, page in (
        _model("PageAccess")
        .objects.filter(page__in=pages, guest_group__isnull=False)
        .values_list("guest_group", "page")
    ):
        named = _model("PageGuest").objects.filter(page=page).values_list("member", flat=True)
        fill(group, entitled(frozenset(named)))
