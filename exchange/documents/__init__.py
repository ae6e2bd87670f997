"""What stands in docs/ and is made from the code."""
