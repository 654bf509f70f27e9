"""Whatever the shop did, the rules as published give once more exactly what was awarded: through the public doors."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from oscar.test.factories import create_product

from oscar_loyalty import clock
from oscar_loyalty.earning import bookings, drafts, limits, rules
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.payments import refunds
from oscar_loyalty.reports.simulation import sources
from oscar_loyalty.reports.simulation.purchases import Purchases
from oscar_loyalty.reports.simulation.replay import play
