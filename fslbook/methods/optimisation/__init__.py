"""Methods that adapt weights: one file a method (chapters 8 to 10)."""
