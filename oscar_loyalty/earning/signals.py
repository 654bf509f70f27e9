"""For a booking app that would rather send a signal than call :mod:`oscar_loyalty.earning.bookings`.

Each takes the arguments of the function of the same name. What goes wrong is logged and never reaches the sender, so an
app that sends these also tells its bookings again from time to time; telling twice changes nothing.
"""

from django.dispatch import Signal

booking_made = Signal()
booking_rescheduled = Signal()
booking_attended = Signal()
booking_missed = Signal()
booking_cancelled = Signal()
booking_corrected = Signal()
