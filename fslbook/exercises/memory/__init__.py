"""Checks of chapter 15's exercises."""
