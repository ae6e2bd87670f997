"""Bytes by digest, made durable; and the walk that verifies them."""
