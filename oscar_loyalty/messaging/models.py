from oscar.core.loading import is_model_registered

from oscar_loyalty.messaging import abstract_models

__all__ = []

if not is_model_registered("loyalty_messaging", "Message"):

    class Message(abstract_models.AbstractMessage):
        pass

    __all__.append("Message")
