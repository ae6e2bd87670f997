"""Which images a reader has had on the screen as they are stored."""
