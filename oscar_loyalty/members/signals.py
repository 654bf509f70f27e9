from django.dispatch import Signal

#: A member has joined: ``member``, ``user`` (or ``None``). Sent after the commit.
member_joined = Signal()
#: A member has another tier: ``member``, ``before``, ``after`` (tiers or ``None``). Sent after the commit.
tier_changed = Signal()
#: A member has agreed to something or no longer does: ``member``, ``kind``, ``given``. Sent after the commit.
consent_changed = Signal()
