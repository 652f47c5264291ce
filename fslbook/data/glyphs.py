"""Placeholder until written."""


def glyphs(root=None):
    raise NotImplementedError
