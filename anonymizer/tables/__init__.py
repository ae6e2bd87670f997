"""Tables of the standard as data, each with its source and edition in its head, and the script that makes them."""
