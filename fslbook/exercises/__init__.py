"""Checks for the exercises of the book: write a function, call `check.<exercise>(my_function)`.

A check tries the function on fresh inputs and says in words which properties hold and which do not. It returns a report
that counts as true if all of them hold. A chapter's checks stand in a file or folder of its own and are found by
themselves; `engine` is what stands behind all of them.
"""

from fslbook.exercises import check

__all__ = ["check"]
