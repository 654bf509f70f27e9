from oscar.apps.order import processing

from oscar_loyalty.payments.events import LoyaltyEventHandlerMixin


class EventHandler(LoyaltyEventHandlerMixin, processing.EventHandler):
    """A refund noted on Oscar's page of an order gives back what it says."""
