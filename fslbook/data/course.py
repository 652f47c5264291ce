"""The data set that the chapters use: Omniglot where it can be had, otherwise the glyphs."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from torchvision.datasets import Omniglot as TorchvisionOmniglot

from fslbook.data.glyphs import glyphs
from fslbook.data.omniglot import has_omniglot, omniglot
from fslbook.data.splits import Splits


def course_dataset(root: str | Path | None = None) -> Splits:
    """Omniglot (Vinyals split) if it is at hand or can be downloaded at once, otherwise the glyphs.

    Prints one line that says which.

    Args:
        root: the data folder; by default $FSLBOOK_DATA, else ~/.cache/fslbook.

    Raises:
        ValueError: Omniglot is there but damaged; it is never replaced in silence.
    """
    if has_omniglot(root) or _can_download():
        try:
            splits = omniglot(root=root)
        except OSError as error:
            print(f"Omniglot could not be downloaded ({error}).")
        else:
            print(f"Data: Omniglot, {_sizes(splits)}.")
            return splits
    splits = glyphs(root=root)
    print(f"Data: no Omniglot at hand and no way to download it, so the bundled glyphs, {_sizes(splits)}.")
    return splits


def _can_download(seconds: float = 3.0) -> bool:
    """Whether the server of the archives answers."""
    url = f"{TorchvisionOmniglot.download_url_prefix}/images_background.zip"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _sizes(splits: Splits) -> str:
    return f"{len(splits.base):,} base, {len(splits.validation)} validation, {len(splits.novel)} novel classes"
