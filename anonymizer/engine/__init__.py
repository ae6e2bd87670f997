"""One instance de-identified: taken in, treated, declared, given out."""
