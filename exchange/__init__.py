"""The composition root and the command line.

Assembles a node from a Config, runs it, shows it. Imports everything; imported by nothing.
"""
