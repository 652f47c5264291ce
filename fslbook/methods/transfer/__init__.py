"""Train an ordinary classifier on the base classes, then reuse its features (chapter 11)."""
