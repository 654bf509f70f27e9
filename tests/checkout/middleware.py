from oscar.apps.basket.middleware import BasketMiddleware
from oscar.core.loading import get_model


class BasketOfWindowMiddleware(BasketMiddleware):
    """A basket for each browser window, as a shop may have it whose customers keep several; Oscar merges them."""

    def get_basket(self, request):
        if request._basket_cache is None:
            Basket = get_model("basket", "Basket")
            basket = Basket.open.filter(pk=request.session.get("window_basket")).first() or Basket(owner=request.user)
            request._basket_cache = basket
        return request._basket_cache
