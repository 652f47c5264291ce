"""Checks of chapter 10's exercises."""
