"""What the books hold: sessions, intents, charges, refunds, disputes, events and the balance."""
