from oscar.apps.offer import views

from oscar_loyalty.privileges.catalogue import EarlyAccessOfferListMixin


class OfferListView(EarlyAccessOfferListMixin, views.OfferListView):
    pass
