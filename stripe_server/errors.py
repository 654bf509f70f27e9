"""Errors as Stripe words them: a type, a code, the parameter at fault, a sentence, and an HTTP status."""


class StripeError(Exception):
    """An answer other than 200.

    ``keep`` says that what was done until now stays done (a declined card leaves its PaymentIntent behind);
    otherwise the transaction is rolled back.
    """

    status = 400
    type = "invalid_request_error"

    def __init__(self, message, *, code=None, param=None, status=None, keep=False, **more):
        super().__init__(message)
        self.message, self.code, self.param, self.keep, self.more = message, code, param, keep, more
        if status:
            self.status = status

    def body(self):
        error = {"message": self.message, "type": self.type}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = "https://docs.stripe.com/error-codes#" + self.code.replace("_", "-")
        if self.param:
            error["param"] = self.param
        return {"error": {**error, **self.more}}


class InvalidRequest(StripeError):
    """Refused before execution began: nothing is kept under the idempotency key."""


class Refused(StripeError):
    """Refused by the state of the books: execution had begun, so the answer is kept."""


class CardError(StripeError):
    status = 402
    type = "card_error"


class IdempotencyError(StripeError):
    type = "idempotency_error"


class AuthenticationError(StripeError):
    status = 401


class ApiError(StripeError):
    status = 500
    type = "api_error"


def unknown(param):
    return InvalidRequest(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def missing(param):
    return InvalidRequest(f"Missing required param: {param}.", code="parameter_missing", param=param)


def no_such(kind, id, param, *, other_mode=None):
    """``other_mode`` is "live" or "test" when the object exists there."""
    message = f"No such {kind}: '{id}'"
    if other_mode:
        mine = "test" if other_mode == "live" else "live"
        message += (
            f"; a similar object exists in {other_mode} mode, but a {mine} mode key was used to make this request."
        )
    return Refused(message, code="resource_missing", param=param, status=404)


def unexpected_state(message, intent):
    return Refused(message, code="payment_intent_unexpected_state", payment_intent=intent)
