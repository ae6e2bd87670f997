"""What comes home about a released study, led back to its patient."""
