"""Checks of chapter 1's exercises."""
