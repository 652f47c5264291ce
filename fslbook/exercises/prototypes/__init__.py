"""Checks of chapter 5's exercises."""
