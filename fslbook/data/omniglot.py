"""Omniglot: 1,623 handwritten characters from 50 alphabets, 20 drawings each (Lake, Salakhutdinov, Tenenbaum 2015)."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from fslbook.common.files import is_litter, replaced
from fslbook.data.cache import cached, data_root, digest, pack_path
from fslbook.data.download import download as fetch
from fslbook.data.image_classes import ImageClasses
from fslbook.data.joining import concatenate
from fslbook.data.splits import Splits

SIZE = 28
"""Side length in pixels of the packed images; the originals have 105."""

DIGESTS = {
    "images_background": "f32435a80e3966c7aa29e20298c2c9ec9947dbf555cecea37d51cfc8e1365fa0",
    "images_evaluation": "eb68a59f8009779aa59cff308d7af8e3b946a55d740dad6a8ed9364f7c20fa27",
}
"""sha256 of each part's decoded 105×105 8-bit grey images, in the order of their sorted paths."""

IDENTITY = "345efb73 bf898ca5df0ce336cb26ce352a174d911189226a1817cd0cc2fda8f46773921b"
"""Names, counts and pixels of all 1,623 packed classes; the same with Pillow 10.0 to 13.0."""

VALIDATION_ALPHABETS = ("Armenian", "Bengali", "Early_Aramaic", "Hebrew", "Mkhedruli_(Georgian)")
"""The alphabets that Snell et al. (2017) hold out for validation in the split of Vinyals et al. (2016)."""


def omniglot(split: str = "vinyals", root: str | Path | None = None, download: bool = True) -> Splits:
    """The real Omniglot at 28×28, cut by class; ink is 1 and paper 0 once the bytes are scaled to [0, 1].

    The archives `images_background.zip` and `images_evaluation.zip` are looked for in `<root>/omniglot-py`
    (torchvision's own layout) and packed once into `<root>`. In a folder that cannot be written to it works in
    memory, with a warning.

    Args:
        split: "vinyals" (1028 base, 172 validation, 423 novel classes; Vinyals et al. 2016, files of Snell et al.
            2017), "background-evaluation" (792, 172, 659; Lake et al. 2015), or "random" (1100, 100, 423; the
            1200/423 cut of Santoro et al. 2016, drawn here with seed 0).
        root: the data folder; by default $FSLBOOK_DATA, else ~/.cache/fslbook.
        download: fetch missing archives (14 MB).

    Returns:
        splits of uint8 images [M, 1, 28, 28], class names such as "Greek/character01", the alphabet being the group.

    Raises:
        ValueError: unknown split, or a damaged archive.
        FileNotFoundError: no archives and `download` is False, or no home folder.
        ConnectionError: the download failed or took too long; nothing half-done is left behind.
        OSError: an archive is there but cannot be read.

    Example:
        >>> omniglot("lake")
        Traceback (most recent call last):
        ValueError: unknown Omniglot split 'lake'; known are 'vinyals', 'background-evaluation', 'random'
    """
    if not isinstance(split, str) or split not in SPLITS:
        raise ValueError(f"unknown Omniglot split {split!r}; known are {', '.join(map(repr, SPLITS))}")
    folder = data_root(root)
    classes = cached(f"omniglot-{SIZE}", lambda: _pack_both(folder, download), folder, IDENTITY)
    cut = SPLITS[split](classes.names)
    return Splits(f"omniglot/{split}", *(classes.select(part) for part in cut))


def has_omniglot(root: str | Path | None = None) -> bool:
    """Whether Omniglot is at hand without a download, packed or as its two archives.

    Args:
        root: the data folder; by default $FSLBOOK_DATA, else ~/.cache/fslbook.

    Raises:
        FileNotFoundError: the folder depends on a home folder, and there is none.

    Example:
        >>> has_omniglot("a/folder/that/is/not/there")
        False
    """
    folder = data_root(root)
    archives = (_archive_path(folder, part) for part in DIGESTS)
    # Not Path.exists: it raises for a folder that one must not look into.
    return os.path.isfile(pack_path(f"omniglot-{SIZE}", folder)) or all(map(os.path.isfile, archives))


def archive_source(part: str) -> tuple[str, str]:
    """Where an archive can be downloaded, and its MD5: those that torchvision names.

    Args:
        part: a key of `DIGESTS`.

    Example:
        >>> archive_source("images_evaluation")[0][-22:]
        '/images_evaluation.zip'
    """
    from torchvision.datasets import Omniglot  # here: it takes longer than the rest of the package, and few need it

    return f"{Omniglot.download_url_prefix}/{part}.zip", Omniglot.zips_md5[part]


def _archive_path(folder: Path, part: str) -> Path:
    return folder / "omniglot-py" / f"{part}.zip"


def _pack_both(folder: Path, download: bool) -> ImageClasses:
    """All 1,623 classes: the sorted background characters, then the sorted evaluation characters."""
    paths = [_archive_path(folder, part) for part in DIGESTS]
    background, evaluation = (_pack(_archive(path, download), path) for path in paths)
    classes = concatenate(background, evaluation)
    if classes.fingerprint != IDENTITY.split()[0]:
        raise ValueError(
            f"the folders in {paths[0]} and {paths[1].name} are not named as Omniglot's; delete both files"
        )
    return classes


def _archive(path: Path, download: bool) -> bytes:
    """One archive; if it is missing it is downloaded, and stored where that is possible."""
    if os.path.isfile(path):
        return path.read_bytes()
    if not download:
        raise FileNotFoundError(f"{path} is missing; allow the download, or put torchvision's archive there")
    try:
        content = fetch(*archive_source(path.stem))
    except ConnectionError as error:
        raise ConnectionError(f"{error}; run again, or put the archive at {path}") from error
    try:
        with replaced(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        warnings.warn(f"cannot keep {path}, so it is downloaded anew at each start: {error}", stacklevel=7)
    return content


def _pack(content: bytes, path: Path) -> ImageClasses:
    """Read one archive without unpacking it, check its pixels, and shrink them to 28×28.

    Raises:
        ValueError: the archive is truncated, or its images are not Omniglot's.
    """
    try:
        drawings = _drawings(content)
    except MemoryError:  # not the archive's fault
        raise
    except Exception as error:  # nothing but zipfile and Pillow at work, and damage makes them raise almost anything
        raise ValueError(f"{path} is damaged ({error}); delete it and run again to download it anew") from error
    right_size = {drawing.size for drawing in drawings.values()} == {(105, 105)}
    if not right_size or digest(np.stack([np.asarray(d) for d in drawings.values()])) != DIGESTS[path.stem]:
        raise ValueError(f"the {len(drawings)} images in {path} are not Omniglot's; delete the file and run again")
    # Grey before shrinking: Pillow shrinks the 1-bit originals without smoothing, whatever filter is asked for.
    small = np.stack([np.asarray(d.resize((SIZE, SIZE), Image.Resampling.LANCZOS)) for d in drawings.values()])
    names, counts = np.unique(["/".join(name.split("/")[-3:-1]) for name in drawings], return_counts=True)
    return ImageClasses(torch.from_numpy(255 - small)[:, None], torch.from_numpy(counts), tuple(names.tolist()))


def _drawings(content: bytes) -> dict[str, Image.Image]:
    """The pictures of an archive in grey, by their sorted paths."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        paths = sorted(path for path in file.namelist() if path.endswith(".png") and not is_litter(path))
        return {path: Image.open(io.BytesIO(file.read(path))).convert("L") for path in paths}


def _vinyals(names: Sequence[str]) -> tuple[list[int], list[int], list[int]]:
    """The first 1,200 classes in sorted order, less five whole alphabets for validation, and the other 423."""
    held_out = [i for i in range(1200) if names[i].split("/")[0] in VALIDATION_ALPHABETS]
    return sorted(set(range(1200)) - set(held_out)), held_out, list(range(1200, len(names)))


def _background_evaluation(names: Sequence[str]) -> tuple[list[int], list[int], list[int]]:
    """The 30 background alphabets, less the same five, against the 20 evaluation alphabets."""
    held_out = [i for i in range(964) if names[i].split("/")[0] in VALIDATION_ALPHABETS]
    return sorted(set(range(964)) - set(held_out)), held_out, list(range(964, len(names)))


def _random(names: Sequence[str]) -> tuple[list[int], list[int], list[int]]:
    """1,100 + 100 + 423 classes in random order."""
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(0)).tolist()
    return order[:1100], order[1100:1200], order[1200:]


SPLITS: dict[str, Callable[[Sequence[str]], tuple[list[int], list[int], list[int]]]] = {
    "vinyals": _vinyals,
    "background-evaluation": _background_evaluation,
    "random": _random,
}
