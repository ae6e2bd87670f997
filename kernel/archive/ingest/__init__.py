"""The one way in: checked, durable, committed, and whether a study is complete."""
