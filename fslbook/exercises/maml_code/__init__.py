"""Checks of chapter 9's exercises."""
