"""Checks of chapter 18's exercises."""
