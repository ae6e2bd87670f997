"""What a pathologist is asked and answers, and whether a pathologist may be trusted on a screen."""
