"""Methods that learn from images without labels (chapters 12 and 13)."""
