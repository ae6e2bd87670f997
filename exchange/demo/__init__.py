"""The demo: its nodes, its studies, its journey."""
