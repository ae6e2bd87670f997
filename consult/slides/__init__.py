"""Slides as they are looked at: opened from the archive, tiles served as stored or made once. No HTTP here."""
