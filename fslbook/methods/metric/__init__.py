"""Methods that compare: one file a method (chapters 3 to 6)."""
