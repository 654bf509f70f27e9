"""What makes a profile complete, and the day of birth."""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.earning import actions
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import consents, services
from oscar_loyalty.members.locking import lock_members


@dataclass(frozen=True)
class Part:
    """Something a profile has or lacks; ``page`` names the URL where it is told."""

    code: str
    label: Any
    told: Callable[[Any], bool]
    page: str = "loyalty-account:profile"


_parts: dict[str, Part] = {}


def part(code: str, label: Any, *, page: str = "loyalty-account:profile") -> Callable[..., Any]:
    """Register a function of the member that says whether this part of the profile is told."""

    def register(function: Callable[[Any], bool]) -> Callable[[Any], bool]:
        _parts[code] = Part(code, label, function, page)
        return function

    return register


@part("name", gettext_lazy("Your first and last name"), page="customer:profile-update")
def _name(member: Any) -> bool:
    return bool(member.first_name and member.last_name)


@part("birthday", gettext_lazy("Your birthday"))
def _birthday(member: Any) -> bool:
    return bool(member.birth_day and member.birth_month)


@part("address", gettext_lazy("An address in your address book"), page="customer:address-create")
def _address(member: Any) -> bool:
    return member.user is not None and member.user.addresses.exists()


def parts(member: Any) -> list[tuple[Part, bool]]:
    """Return what this shop's profile asks for, each with whether the member has told it."""
    wanted = [_parts[code] for code in conf.PROFILE_PARTS if code in _parts]
    return [(each, each.told(member)) for each in wanted]


def check_birthday(day: int | None, month: int | None, year: int | None = None) -> None:
    """Refuse a day that does not exist. The year may be left out; 29 February is a birthday like any other.

    :raises ValidationError: by field.
    """
    if not day and not month:
        if year:
            raise ValidationError({"day": _("Please tell the day and the month as well.")})
        return
    if not day or not month:
        raise ValidationError({"month" if day else "day": _("Please tell both the day and the month.")})
    if year is not None and not 1900 <= year <= clock.now().year:
        raise ValidationError({"year": _("This year cannot be.")})
    if not 1 <= month <= 12:
        raise ValidationError({"month": _("There is no such month.")})
    if not 1 <= day <= monthrange(year or 2000, month)[1]:
        raise ValidationError({"day": _("This month has no such day.")})


@transaction.atomic
def set_birthday(*, member: Any, day: int | None, month: int | None, year: int | None = None) -> Any:
    """Keep the member's birthday (``None``: forget it), and give what a complete profile brings.

    :raises ValidationError: for a day that does not exist.
    """
    check_birthday(day, month, year)
    row = lock_members([member.pk])[member.pk]
    if (row.birth_day, row.birth_month) != (day, month):
        get_model("loyalty_earning", "MemberProfile").objects.update_or_create(
            member=row, defaults={"birthday_told_at": clock.now()}
        )
    # To tell the day is to agree to what it is for; to take it back is to withdraw that.
    consents.answer(member=row, given={"birthday": bool(day)}, source="profile")
    row.birth_day, row.birth_month, row.birth_year = day, month, year
    row.save(update_fields=["birth_day", "birth_month", "birth_year"])
    member.birth_day, member.birth_month, member.birth_year = day, month, year
    review(member=row)
    return row


def _birthday_answered(member: Any, given: bool) -> None:
    """Without the consent there is no day to keep."""
    if not given and member.birth_day:
        set_birthday(member=member, day=None, month=None)


consents.register(
    consents.Kind(
        "birthday",
        gettext_lazy("Your birthday"),
        gettext_lazy(
            "We keep the day to congratulate you and to give you what a birthday brings. Switched off, it is deleted."
        ),
        default=lambda member: bool(member.birth_day),
        changed=_birthday_answered,
        page="profile",
    )
)


@transaction.atomic
def tell(
    *, member: Any, greeting_name: str, language: str, day: int | None, month: int | None, year: int | None = None
) -> Any:
    """Keep what a member tells of themselves; without a ``language``, the one they had. Return the member.

    :raises ValidationError: for a birthday that does not exist.
    """
    fields = {"greeting_name": " ".join(greeting_name.split())} | ({"language": language} if language else {})
    services.update_details(member=member, **fields)
    return set_birthday(member=member, day=day, month=month, year=year)


def review(*, member: Any) -> Any:
    """Give what a complete profile brings, if it is complete; return the award or ``None``."""
    found = parts(member)
    if found and all(told for _part, told in found):
        return actions.perform(member=member, action="profile", reference="complete")
    return None
