"""Whole-slide images as pure transformations: no database, no sockets. Tiles and pyramids will live here."""
