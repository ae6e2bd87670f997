"""Deleting, holds, and what frees the bytes."""
