"""Checks of chapter 8's exercises."""
