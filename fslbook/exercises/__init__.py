"""Checks for the exercises of the book: write a function, call `check.<exercise>(my_function)`."""

from fslbook.exercises import check

__all__ = ["check"]
