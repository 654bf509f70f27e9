"""An entry for ``OSCAR_DASHBOARD_NAVIGATION`` that leads to the day's appointments."""

from django.utils.translation import gettext_lazy as _


def may_see(user, url_name, url_args=None, url_kwargs=None):
    from oscar_loyalty.contrib.appointment import selectors

    return selectors.may_mark(user)


#: Oscar looks up who may see an entry only for its own pages: this one says so itself.
APPOINTMENTS = {
    "label": _("Appointments"),
    "icon": "fas fa-calendar-check",
    "url_name": "loyalty-appointment:day",
    "access_fn": may_see,
}
