"""What staff do by a button is done once, however often it is pressed, and each press is answered alike."""
