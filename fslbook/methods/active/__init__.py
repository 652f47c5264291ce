"""Which image to label next (chapter 14)."""
