"""What pixels say about a patient: which instances need a look, what is masked in them, and what became of them."""
