"""Your own images: a folder with one sub-folder per class."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.common.files import full_path, is_litter
from fslbook.data.image_classes import ImageClasses
from fslbook.data.joining import from_arrays
from fslbook.data.picture import SUFFIXES, read_picture

SPLIT_NAMES = ("train", "training", "test", "testing", "val", "valid", "validation", "dev")
"""Folders that hold a part of the images of each class, in lower case; where all are called so, none is a class."""


def image_folder(path: str | Path, size: int = 28, grey: bool = True) -> ImageClasses:
    """Read every image below `path`; each sub-folder is a class and gives it its name.

    What systems leave there (names that begin with a dot, `__MACOSX`, `Thumbs.db`, ...) is passed over. All other
    files that are not read are named in one warning. Transparent images are laid on white; see `read_picture` for
    those of 16 and 32 bits.

    Args:
        path: a folder such as `my_images/` with `my_images/cat/1.jpg`, `my_images/dog/a.png`, ...; a leading "~" is
            the home folder.
        size: images are scaled to size×size pixels.
        grey: one channel; otherwise three (RGB).

    Returns:
        classes of uint8 images [C, size, size], in the order of the sorted folder names. Bright stays bright;
        for dark ink on white paper and an encoder trained on Omniglot, use `255 - images`.

    Raises:
        ValueError: the folder is missing, has fewer than two classes, an empty one or one with sub-folders (such as
            `train/cat`), an image is unreadable or its numbers have no known white, or `size` is below 1.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name, colour in (("cat", "white"), ("dog", "black")):
        ...         Path(folder, name).mkdir()
        ...         Image.new("RGB", (50, 40), colour).save(Path(folder, name, "1.png"))
        ...     image_folder(folder)
        ImageClasses(2 classes, 2 images of 1×28×28, on cpu)
    """
    size = check_whole_number("size", size, least=1)
    folder = full_path("path", path)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    inside = _entries(folder)
    content = {place: _entries(place) for place in inside if place.is_dir()}
    _check_layout(folder, content)
    classes = from_arrays({place.name: _read_class(place, files, size, grey) for place, files in content.items()})
    _name_the_rest(folder, [file for file in inside if file not in content], content)
    return classes


def _read_class(folder: Path, files: list[Path], size: int, grey: bool) -> Tensor:
    """All images of one class, uint8 [count, C, size, size]."""
    if not (images := [file for file in files if _is_image(file)]):
        found = ", ".join(sorted({file.suffix or file.name for file in files})) or "nothing"
        raise ValueError(f"class folder {folder} has no images ({', '.join(SUFFIXES)}), it has {found}")
    return torch.stack([read_picture(file, size, grey) for file in images])


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


def _entries(folder: Path) -> list[Path]:
    return sorted(place for place in folder.iterdir() if not is_litter(place.name))


def _check_layout(folder: Path, content: dict[Path, list[Path]]) -> None:
    """Refuse a folder whose sub-folders are no classes."""
    for place, inside in content.items():
        if deeper := ", ".join([p.name for p in inside if p.is_dir()][:3]):
            raise ValueError(
                f"{place} has sub-folders ({deeper}), but the images of a class lie in its folder itself; "
                f"if {deeper} are the classes, read them with image_folder({str(place)!r})"
            )
    names = [place.name for place in content]
    if len(names) < 2:
        raise ValueError(f"{folder} has {len(names)} sub-folders; each class needs one, and at least two are needed")
    if all(name.lower() in SPLIT_NAMES for name in names):
        raise ValueError(f"{folder} has the sub-folders {', '.join(names)}, which are no classes; sort images by class")


def _name_the_rest(folder: Path, outside: list[Path], content: dict[Path, list[Path]]) -> None:
    """Say which files are not read."""
    rest = outside + [file for files in content.values() for file in files if not _is_image(file)]
    if rest:
        more = f", and {len(rest) - 5} more" if len(rest) > 5 else ""
        names = ", ".join(file.relative_to(folder).as_posix() for file in rest[:5]) + more
        kinds = ", ".join(SUFFIXES)
        message = f"not read in {folder}: {names}; images lie in the folder of their class and end in {kinds}"
        warnings.warn(message, stacklevel=3)
