"""A page that is saved is decided of in the same transaction; so is whatever hangs on it."""

from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver
from wagtail.models import Page, PageViewRestriction
from wagtail.signals import page_published

from oscar_loyalty.loading import get_model
from wagtail_club import access, copying, settling, turns, wording
from wagtail_club.abstract_models import ClubPageMixin
from wagtail_club.models import PageAccess

Member, Tier = get_model("loyalty_members", "Member"), get_model("loyalty_members", "Tier")


@receiver(pre_save)
def page_to_be_saved(sender, instance, raw=False, **kwargs):
    if isinstance(instance, Page) and not raw:
        turns.take()


@receiver(post_save)
def page_saved(sender, instance, created=False, raw=False, update_fields=None, **kwargs):
    if isinstance(instance, Page) and not raw:
        # A save of single fields is that of a draft: what the page in memory says besides is not in the database.
        full = isinstance(instance, ClubPageMixin) and update_fields is None
        access.settle(
            page=instance,
            words=wording.words(instance) if full else None,
            copied_from=copying.source() if created else None,
        )


@receiver(page_published)
def page_is_out(sender, instance, **kwargs):
    # A page of the club forgets by itself that it was held: its revisions say nothing of its place. A copy that comes
    # into being published has been published there by nobody.
    if copying.source() is None and PageAccess.objects.filter(page=instance.pk, held=True).exists():
        access.release(page=instance)


@receiver(m2m_changed, sender=PageViewRestriction.groups.through)
def restriction_copied(sender, instance, action, reverse=False, **kwargs):
    # Wagtail copies a page's restriction beside the one that the copy has of its own already.
    if action == "post_add" and not reverse and PageAccess.objects.filter(page=instance.page_id, closed=True).exists():
        source = instance.page.alias_of_id or copying.source()
        if source is not None and settling.is_copied_mirror(instance, source):
            instance.delete()
        else:
            access.settle(page=instance.page)


@receiver(post_delete, sender=PageAccess)
def page_gone(sender, instance, **kwargs):
    # A later page may get the same number: it must not find the guests of this one.
    if instance.guest_group_id:
        access.drop_group(instance.guest_group_id)


@receiver(post_save, sender=Member)
def membership_changed(sender, instance, created=False, update_fields=None, raw=False, **kwargs):
    if not raw and not created and (update_fields is None or {"user", "status"} & set(update_fields)):
        settling.refresh_guest(instance)


@receiver(post_save, sender=Tier)
@receiver(post_delete, sender=Tier)
def tier_changed(sender, instance, created=False, raw=False, **kwargs):
    if not raw and not created and PageAccess.objects.filter(closed=True).exists():
        access.rebuild()
