"""Checks of chapter 6's exercises."""
