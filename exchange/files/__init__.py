"""Files de-identified: what comes in, what goes out, and what is told of it."""
