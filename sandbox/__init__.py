"""Maison Pétale: a salon with a web shop, a booking calendar and a club, to try everything in one place."""
