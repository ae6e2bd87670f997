"""The independent search for what should be gone; it shares no code with the rest."""
