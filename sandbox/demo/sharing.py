"""Members of Maison Pétale may give each other petals, and families do so at once."""

from typing import Any

from oscar_loyalty.members import giving, sharing


def load_sharing(programme: Any) -> None:
    """Switch it on once; what the owner changed since stays as it is."""
    if sharing.policy_of(programme).pk is None:
        giving.save_policy(programme=programme, is_active=True, households=True)
