"""Checks of chapter 3's exercises."""
