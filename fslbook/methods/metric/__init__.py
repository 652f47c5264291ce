"""Methods that compare: one file a method (chapters 4 to 7)."""
