"""What shall become of each attribute (PS3.15 Table E.1-1), and what a site may say about it."""
