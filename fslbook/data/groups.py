"""Alphabets, scripts and other groups that classes belong to."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from fslbook.data.image_classes import ImageClasses


def group_masks(classes: ImageClasses, n_way: int) -> Tensor:
    """Which classes are in each of the groups that have `n_way` of them.

    Args:
        classes: whose groups are meant.
        n_way: at least so many classes make a group large enough.

    Returns:
        bool [number of such groups, number of classes], groups sorted by name.

    Raises:
        ValueError: no group is that large.

    Example:
        >>> letters = ImageClasses(torch.rand(3, 1, 8, 8), torch.tensor([1, 1, 1]), ("Greek/a", "Latin/a", "Greek/b"))
        >>> group_masks(letters, n_way=2)
        tensor([[ True, False,  True]])
    """
    sizes = Counter(classes.groups)
    large = sorted(group for group, size in sizes.items() if size >= n_way)
    if not large:
        name, size = sizes.most_common(1)[0]
        raise ValueError(f"{n_way}-way needs {n_way} classes in one group; the largest, {name!r}, has {size}")
    return torch.tensor([[group == name for group in classes.groups] for name in large], device=classes.images.device)
