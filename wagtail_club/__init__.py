"""The VIP club that a shop's editors publish with Wagtail; builds on ``oscar_loyalty``."""

#: What a shop adds to its ``INSTALLED_APPS``, after Oscar's apps and before Wagtail's.
INSTALLED_APPS = ["wagtail_club.apps.WagtailClubConfig"]
