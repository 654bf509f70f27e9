"""The accounts of the demonstration."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from sandbox.shop.data.people import BRONZE, EDITOR, GOLD, NEW, OWNER, PASSWORD, Person


def load_people() -> None:
    account(person=OWNER, is_staff=True, is_superuser=True)
    # Wagtail's migrations make both groups: one may write, the other publish.
    groups = Group.objects.filter(name__in=["Editors", "Moderators"])
    account(person=EDITOR).groups.add(*groups)
    for person in (GOLD, BRONZE, NEW):
        account(person=person)


def account(*, person: Person, password: str | None = PASSWORD, **flags):
    """Return the person's account, made with ``password`` (``None``: nobody can log in) where there was none."""
    users = get_user_model().objects
    user = users.filter(email__iexact=person.email).first()
    if user is None:
        user = users.create_user(
            username=person.email.partition("@")[0],
            email=person.email,
            password=password,
            first_name=person.first_name,
            last_name=person.last_name,
            **flags,
        )
    return user
