from django.db import models
from django.utils.translation import gettext_lazy as _


class AbstractMessage(models.Model):
    """A message in the outbox. Its text is not stored: it is written from ``kind`` and the ids in ``context`` when it
    is sent, so that no code of a gift card ever lies here."""

    WAITING, SENT, CANCELLED = "waiting", "sent", "cancelled"
    FAILED, DEAD = "failed", "dead"
    STATES = [
        (WAITING, _("waiting")),
        (SENT, _("sent")),
        (FAILED, _("to be tried again")),
        (DEAD, _("given up")),
        (CANCELLED, _("no longer needed")),
    ]
    EMAIL = "email"
    CHANNELS = [(EMAIL, _("e-mail"))]

    key = models.CharField(_("key"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=64)
    channel = models.CharField(_("channel"), max_length=16, choices=CHANNELS, default=EMAIL)
    to = models.EmailField(_("to"))
    language = models.CharField(_("language"), max_length=16, blank=True)
    context = models.JSONField(_("about"), default=dict, blank=True)
    member = models.ForeignKey(
        "loyalty_members.Member",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name=_("member"),
    )
    site = models.ForeignKey(
        "sites.Site",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("site"),
        help_text=_("Whose message it is. Empty: it is about all of them."),
    )
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=WAITING)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    error = models.CharField(_("last error"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("written at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_messaging"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["state", "created_at"], name="loyalty_message_state"),
            models.Index(fields=["member", "created_at"], name="loyalty_message_member"),
        ]

    def __str__(self):
        return f"{self.kind} → {self.to}"
