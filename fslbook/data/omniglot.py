"""Omniglot: 1,623 handwritten characters from 50 alphabets, 20 drawings each (Lake, Salakhutdinov, Tenenbaum 2015)."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.datasets import Omniglot as TorchvisionOmniglot
from torchvision.datasets.utils import download_url

from fslbook.data.cache import DAMAGE, cached, data_root, digest
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

VALIDATION_ALPHABETS = ("Armenian", "Bengali", "Early_Aramaic", "Hebrew", "Mkhedruli_(Georgian)")
"""The alphabets that Snell et al. (2017) hold out for validation in the split of Vinyals et al. (2016)."""


def omniglot(split: str = "vinyals", root: str | Path | None = None, download: bool = True) -> Splits:
    """The real Omniglot at 28×28, cut by class; ink is 1 and paper 0 once the bytes are scaled to [0, 1].

    The archives `images_background.zip` and `images_evaluation.zip` are looked for in `<root>/omniglot-py`
    (torchvision's own layout) and packed once into `<root>/omniglot-28.npz`.

    Args:
        split: "vinyals" (1028 base, 172 validation, 423 novel classes; Vinyals et al. 2016, files of Snell et al.
            2017), "background-evaluation" (792, 172, 659; Lake et al. 2015), or "random" (1100, 100, 423; the
            1200/423 cut of Santoro et al. 2016, drawn here with seed 0).
        root: the data folder; by default $FSLBOOK_DATA, else ~/.cache/fslbook.
        download: let torchvision download missing archives (14 MB).

    Raises:
        ValueError: unknown split, or a damaged archive.
        FileNotFoundError: no archives and `download` is False.
        OSError: the download failed; nothing half-done is left behind.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown Omniglot split {split!r}; known are {', '.join(map(repr, SPLITS))}")
    folder = data_root(root)
    classes = cached(f"omniglot-{SIZE}", lambda: _pack_both(folder, download), folder)
    cut = SPLITS[split](classes.names)
    return Splits(f"omniglot/{split}", *(classes.select(part) for part in cut))


def has_omniglot(root: str | Path | None = None) -> bool:
    """Whether Omniglot is at hand without a download, packed or as its two archives."""
    folder = data_root(root)
    archives = (folder / "omniglot-py" / f"{part}.zip" for part in DIGESTS)
    return (folder / f"omniglot-{SIZE}.npz").exists() or all(archive.exists() for archive in archives)


def _pack_both(folder: Path, download: bool) -> ImageClasses:
    """All 1,623 classes: the sorted background characters, then the sorted evaluation characters."""
    background, evaluation = (_pack(_archive(folder, part, download)) for part in DIGESTS)
    return concatenate(background, evaluation)


def _archive(folder: Path, part: str, download: bool) -> Path:
    """Path of one archive, downloaded into place in one move if it is missing."""
    path = folder / "omniglot-py" / f"{part}.zip"
    if path.exists():
        return path
    if not download:
        raise FileNotFoundError(f"{path} is missing; allow the download, or put torchvision's archive there")
    path.parent.mkdir(parents=True, exist_ok=True)
    url = f"{TorchvisionOmniglot.download_url_prefix}/{part}.zip"
    with tempfile.TemporaryDirectory(dir=path.parent) as unfinished:
        try:
            download_url(url, unfinished, path.name, TorchvisionOmniglot.zips_md5[part])
        except (OSError, RuntimeError, HTTPException) as error:  # RuntimeError: torchvision found a wrong checksum
            raise OSError(f"could not download {url}: {error}; run again, or put the archive at {path}") from error
        os.replace(Path(unfinished) / path.name, path)
    return path


def _pack(archive: Path) -> ImageClasses:
    """Read one archive without unpacking it, check its pixels, and shrink them to 28×28.

    Raises:
        ValueError: the archive is truncated, or its images are not Omniglot's.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            paths = sorted(name for name in file.namelist() if name.endswith(".png"))
            drawings = [Image.open(io.BytesIO(file.read(path))).convert("L") for path in paths]
    except DAMAGE as error:
        raise ValueError(f"{archive} is damaged ({error}); delete it and run again to download it anew") from error
    right_size = {drawing.size for drawing in drawings} == {(105, 105)}
    if not right_size or digest(np.stack([np.asarray(d) for d in drawings])) != DIGESTS[archive.stem]:
        raise ValueError(f"the {len(paths)} images in {archive} are not Omniglot's; delete the file and run again")
    # Grey before shrinking: Pillow shrinks the 1-bit originals without smoothing, whatever filter is asked for.
    small = np.stack([np.asarray(d.resize((SIZE, SIZE), Image.Resampling.LANCZOS)) for d in drawings])
    names, counts = np.unique(["/".join(path.split("/")[-3:-1]) for path in paths], return_counts=True)
    return ImageClasses(torch.from_numpy(255 - small)[:, None], torch.from_numpy(counts), tuple(names.tolist()))


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
