"""Who the rows of an import are about: finding members by what the old system knew of them, and making new ones."""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.exceptions import FieldDoesNotExist
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.earning.cells import RowError
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.members.selectors import survivor

Values = dict[str, Any]


@dataclass
class Person:
    """Somebody who is not a member yet, or has no account in the shop yet, gathered from all rows of a batch."""

    joined: datetime
    user: Any = None
    member: Any = None
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    numbers: set[str] = field(default_factory=set)


class Register:
    """What one run of an import remembers about people.

    In a dry run nothing is made; ``imagined`` holds who would have been, ``numbers`` the orders that carry a reference.
    """

    def __init__(self, programme: Any, *, dry_run: bool = False, orders: bool = False) -> None:
        self.programme, self.dry_run, self.orders = programme, dry_run, orders
        self.imagined: set[str] = set()
        self.numbers: dict[str, Any] = {}
        self.User = get_user_model()
        self.needs_email = self.User._meta.get_field("email").unique
        try:
            self.has_username = self.User._meta.get_field("username") is not None
        except FieldDoesNotExist:
            self.has_username = False
        self._password = ""

    def password(self) -> str:
        """Nobody knows it. But without any, the shop would not let its owner choose another by mail."""
        if not self._password:
            self._password = make_password(secrets.token_urlsafe(32))
        return self._password


class People:
    """The members that a batch of rows is about."""

    def __init__(self, register: Register, batch: Iterable[Values]) -> None:
        self.register, programme = register, register.programme
        rows = list(batch)
        numbers, emails, cards = (
            {values.get(name) for values in rows} - {None, ""} for name in ("customer", "email", "card")
        )
        User, Member = register.User, get_model("loyalty_members", "Member")
        every = Member.objects.filter(programme=programme).select_related("account", "user")
        known = get_model("loyalty_earning", "CustomerNumber").objects.filter(programme=programme, number__in=numbers)
        pairs = dict(known.values_list("number", "member_id"))
        by_pk = {member.pk: member for member in every.filter(pk__in=set(pairs.values()))}
        self.by_number = {number: survivor(by_pk[pk]) for number, pk in pairs.items()}
        self.by_card = {member.number: survivor(member) for member in every.filter(number__in=cards)} if cards else {}
        self.users: dict[str, Any] = {}
        self.by_email: dict[str, Any] = {}
        if emails:
            found = User.objects.annotate(lower=Lower("email")).filter(lower__in=emails).order_by("-is_active", "-pk")
            # Of several accounts with one e-mail, the oldest that is in use.
            self.users = {user.lower: user for user in sorted(found, key=lambda user: user.is_active)}
            alone = every.filter(user__isnull=True, merged_into__isnull=True)
            self.by_email = {member.email.lower(): member for member in alone.filter(email__in=emails)}
            owned = {member.user_id: member for member in every.filter(user__in=self.users.values())}
            for email, user in self.users.items():
                if user.pk in owned:
                    self.by_email[email] = owned[user.pk]

    def member(self, values: Values) -> Any:
        """Return the member a row is about; ``None``: nobody yet, and :meth:`make` would make one.

        :raises RowError: when there is nobody, and nobody can be made.
        """
        if values.get("card"):
            found = self.by_card.get(values["card"])
            if found is None:
                raise RowError(_("card: nobody has this number"))
        else:
            found = self.by_number.get(values.get("customer") or "") or self.by_email.get(values.get("email") or "")
        if found is None:
            if self.register.needs_email and not values.get("email"):
                raise RowError(_("email: it is missing, and this shop knows its customers by it"))
            return None
        if found.status != "active":
            raise RowError(_("this membership is on hold or closed"))
        if self.register.orders and found.user_id is None and not found.email:
            raise RowError(_("this member's account in the shop was deleted"))
        return found

    def make(self, batch: Sequence[Values]) -> int:
        """Make the users and members that the rows name and nobody knows yet; return how many members are new."""
        wanted: list[Person] = []
        by_number: dict[str, Person] = {}
        by_email: dict[str, Person] = {}
        for values in batch:
            found = self.member(values)
            number, email = values.get("customer") or "", values.get("email") or ""
            complete = found is not None and (found.user_id is not None or not self.register.orders)
            if complete and (not number or number in self.by_number):
                continue
            at = values.get("joined") or values.get("date") or clock.now()
            person = by_number.get(number) or by_email.get(email)
            if person is None:
                person = Person(joined=at, member=found, user=self.users.get(email) if found is None else found.user)
                wanted.append(person)
            if number:
                by_number[number] = person
                person.numbers.add(number)
            if email:
                by_email.setdefault(email, person)
            person.joined = min(person.joined, at)
            for name in ("email", "first_name", "last_name", "language"):
                setattr(person, name, getattr(person, name) or values.get(name) or "")
        if self.register.dry_run:
            return self._imagine(wanted)
        return self._write(wanted)

    def _imagine(self, wanted: list[Person]) -> int:
        known, new = self.register.imagined, 0
        for person in wanted:
            names = {f"number:{number}" for number in person.numbers}
            names |= {f"email:{person.email}"} if person.email else set()
            new += person.member is None and not names & known
            known |= names
        return new

    def _write(self, wanted: list[Person]) -> int:
        User = self.register.User
        names = iter(self._usernames(wanted))
        fresh = []
        for person in wanted:
            if person.user is None and (person.member is None or self.register.orders):
                person.user = User(
                    email=person.email or (person.member.email if person.member else ""),
                    first_name=person.first_name,
                    last_name=person.last_name,
                    date_joined=person.joined,
                    password=self.register.password() if person.email else make_password(None),
                )
                if self.register.has_username:
                    person.user.username = next(names)
                fresh.append(person.user)
        User.objects.bulk_create(fresh, batch_size=500)
        made = members.join_many(
            programme=self.register.programme,
            people=[(person.user, person.joined) for person in wanted if person.member is None],
            source="import",
            languages={person.user.pk: person.language for person in wanted if person.user and person.language},
        )
        by_user = {member.user_id: member for member in made}
        rows = []
        for person in wanted:
            if person.member is None:
                person.member = by_user[person.user.pk]
            elif person.member.user_id is None and person.user is not None:
                person.member = members.attach_user(member=person.member, user=person.user)
            for number in person.numbers:
                if number not in self.by_number:
                    rows.append((number, person.member))
                self.by_number[number] = person.member
            if person.email:
                self.by_email[person.email] = person.member
        Number = get_model("loyalty_earning", "CustomerNumber")
        Number.objects.bulk_create(
            [Number(programme=self.register.programme, number=number, member=member) for number, member in rows],
            batch_size=500,
        )
        return len(made)

    def _usernames(self, wanted: list[Person]) -> list[str]:
        """Names that staff recognise the customer by; nobody signs in with them."""
        start = f"import-{self.register.programme.pk}-"
        names = [start + re.sub(r"[^\w.@+-]", "-", min(p.numbers)) if p.numbers else "" for p in wanted]
        if not self.register.has_username:
            return names
        taken = set(self.register.User.objects.filter(username__in=set(names)).values_list("username", flat=True))
        result = []
        for name in names:
            unique = name if name and name not in taken else f"{start}{secrets.token_hex(10)}"
            taken.add(unique)
            result.append(unique)
        return result
