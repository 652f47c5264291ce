"""Checks of chapter 13's exercises."""
