"""Joining at registration: a line or two each, the services decide."""

import logging

from django.conf import settings
from django.db.models.signals import post_save, pre_delete
from oscar.apps.customer.signals import user_registered

from oscar_loyalty.members import selectors, services

log = logging.getLogger("oscar_loyalty")


def join_at_registration(sender, request, user, **kwargs):
    """Who ticks "join" on the registration form, or registers where everybody is enrolled, becomes a member."""
    try:
        programme = selectors.programme_for(request=request)
        if programme and (programme.auto_enrol or request.POST.get("loyalty_join")):
            services.join(programme=programme, user=user, source="registration")
    except Exception:
        # Registering must not fail because joining does.
        log.exception("User %s could not join at registration", user.pk)


def follow_user(sender, instance, created, raw=False, **kwargs):
    """A member's name and e-mail are those of the user."""
    if raw or created:
        return
    for member in instance.loyalty_memberships.all():
        services.update_details(
            member=member,
            email=(instance.email or "").lower(),
            first_name=instance.first_name,
            last_name=instance.last_name,
        )


def let_go(sender, instance, **kwargs):
    """The memberships of a user who is deleted go on by e-mail alone; one that another has already stays with it."""
    for member in instance.loyalty_memberships.filter(merged_into__isnull=True).select_related("programme"):
        services.let_go_of_user(member=member)


def connect():
    user_registered.connect(join_at_registration, dispatch_uid="loyalty_join_at_registration")
    post_save.connect(follow_user, sender=settings.AUTH_USER_MODEL, dispatch_uid="loyalty_follow_user")
    pre_delete.connect(let_go, sender=settings.AUTH_USER_MODEL, dispatch_uid="loyalty_let_go")
