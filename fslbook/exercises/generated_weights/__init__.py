"""Checks of chapter 16's exercises."""
