from oscar.apps.search.views import base

from oscar_loyalty.privileges.catalogue import EarlyAccessSearchMixin


class BaseSearchView(EarlyAccessSearchMixin, base.BaseSearchView):
    pass
