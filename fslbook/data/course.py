"""The data set that the chapters use: Omniglot where it can be had, otherwise the glyphs."""

from __future__ import annotations

from pathlib import Path

from fslbook.data.download import answers
from fslbook.data.glyphs import glyphs
from fslbook.data.omniglot import archive_source, has_omniglot, omniglot
from fslbook.data.splits import Splits


def course_dataset(root: str | Path | None = None) -> Splits:
    """Omniglot (Vinyals split) if it is at hand or can be downloaded at once, otherwise the glyphs.

    Prints one line that says which, and why. A download that fails or takes more than three minutes ends with the
    glyphs; any other fault of an Omniglot that is there is raised, so that it is never replaced in silence.

    Args:
        root: the data folder; by default $FSLBOOK_DATA, else ~/.cache/fslbook.

    Returns:
        splits of uint8 images [M, 1, 28, 28], ink 255 and paper 0.

    Raises:
        ValueError: Omniglot is there but damaged.
        OSError: Omniglot is there but cannot be read, or there is no home folder.

    Example:
        >>> import tempfile
        >>> from fslbook.data.omniglot import DIGESTS
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Path(folder, "omniglot-py").mkdir()
        ...     for part in DIGESTS:
        ...         size = Path(folder, "omniglot-py", f"{part}.zip").write_bytes(b"damaged")
        ...     try:
        ...         course_dataset(folder)
        ...     except ValueError as error:
        ...         print(str(error)[-60:])
        not a zip file); delete it and run again to download it anew
    """
    reason = "no Omniglot at hand and no way to download it"
    if has_omniglot(root) or answers(archive_source("images_background")[0]):
        try:
            splits = omniglot(root=root)
        except ConnectionError as error:
            reason = f"Omniglot could not be downloaded ({error})"
        else:
            print(f"Data: Omniglot, {_sizes(splits)}.")
            return splits
    splits = glyphs(root=root)
    print(f"Data: {reason}, so the bundled glyphs, {_sizes(splits)}.")
    return splits


def _sizes(splits: Splits) -> str:
    return f"{len(splits.base):,} base, {len(splits.validation)} validation, {len(splits.novel)} novel classes"
