"""Learners that are themselves networks (chapters 15 to 18)."""
