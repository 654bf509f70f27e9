"""A shop whose own model of users has another name than Django's."""
