"""Child processes that do native work for us, one question at a time."""
