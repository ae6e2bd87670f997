"""What is within a value: trees of content items, CDA and other documents."""
