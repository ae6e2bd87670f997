"""Encapsulated PDFs: drawn page by page, cleaned as pictures, and written anew as pictures."""
