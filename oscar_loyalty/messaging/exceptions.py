class DeliveryFailed(Exception):
    """A message could not be written or sent. It names the kind of error only: its text might quote the message."""
