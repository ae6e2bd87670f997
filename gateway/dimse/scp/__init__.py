"""What a node offers on an association (PS3.4, PS3.7): the table of offers, and one service after another."""
