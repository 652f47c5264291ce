"""Checks of chapter 17's exercises."""
