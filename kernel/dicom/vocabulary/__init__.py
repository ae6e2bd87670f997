"""The standard's words: tags, syntaxes, UIDs, character sets, names; and what a header may cost."""
