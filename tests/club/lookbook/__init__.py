"""A shop's own page type, as docs/howto/club-page-types.md writes it."""
