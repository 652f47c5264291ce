"""Checks of chapter 7's exercises."""
