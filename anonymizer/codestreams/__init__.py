"""Words that are stored within compressed frames, beside their samples: where they may stand, and blanks put there."""
