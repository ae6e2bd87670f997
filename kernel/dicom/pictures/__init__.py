"""Frames as pictures for the eye, and pictures as they come from elsewhere."""
