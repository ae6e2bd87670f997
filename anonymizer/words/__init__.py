"""What words are: those that people are called by, those of radiology, and phrases that name somebody."""
