"""Methods that adapt weights: one file a method (chapters 7 to 9)."""
