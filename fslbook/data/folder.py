"""Your own images: a folder with one sub-folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.data.cache import DAMAGE
from fslbook.data.image_classes import ImageClasses
from fslbook.data.joining import from_arrays

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def image_folder(path: str | Path, size: int = 28, grey: bool = True) -> ImageClasses:
    """Read every image below `path`; each sub-folder is a class and gives it its name.

    Args:
        path: a folder such as `my_images/` with `my_images/cat/1.jpg`, `my_images/dog/a.png`, ...
        size: images are scaled to size×size pixels.
        grey: one channel; otherwise three (RGB).

    Returns:
        classes of uint8 images [C, size, size], in the order of the sorted folder names. Bright stays bright;
        for dark ink on white paper and an encoder trained on Omniglot, use `255 - images`.

    Raises:
        ValueError: the folder is missing, has fewer than two classes or an empty one, an image is unreadable, or
            `size` is below 1.
    """
    check_whole_number("size", size, least=1)
    folder = Path(path)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(classes) < 2:
        raise ValueError(f"{folder} has {len(classes)} sub-folders; each class needs one, and at least two are needed")
    return from_arrays({p.name: _read_class(p, size, "L" if grey else "RGB") for p in classes})


def _read_class(folder: Path, size: int, mode: str) -> Tensor:
    """All images of one class, uint8 [count, C, size, size]."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"class folder {folder} has no images ({', '.join(SUFFIXES)})")
    return torch.stack([_read_image(file, size, mode) for file in files])


def _read_image(file: Path, size: int, mode: str) -> Tensor:
    try:
        with Image.open(file) as image:
            upright = ImageOps.exif_transpose(image)  # telephones store photographs on their side
            small = upright.convert(mode).resize((size, size), Image.Resampling.LANCZOS)
    except DAMAGE as error:
        raise ValueError(f"{file} is not a readable image: {error}") from error
    pixels = torch.from_numpy(np.array(small))  # [H, W] or [H, W, 3]
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)
