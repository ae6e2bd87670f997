"""Instances de-identified for who sends them, and kept nowhere: POST /$deidentify."""
