"""Paying by card through Stripe: hosted Checkout Sessions, authorised first, captured once there is an order."""
