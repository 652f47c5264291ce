"""The content of a checkpoint as bytes, and back; whatever is damaged on the way is refused."""

from __future__ import annotations

import io
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fslbook.training.checksums import checksum
from fslbook.training.settings import Settings, group_in_words, in_words

Saved = dict[str, Any]
CONTENT = {"run", "method", "optimizer", "scheduler", "generator", "rng", "cuda_rng", "history"}
A_FOLDER = 0x10
"""Bit of an entry in a zip archive, which makes torch's reader take the entry for empty."""


def as_bytes(content: Saved) -> bytes:
    """The content as `torch.save` writes it, on the CPU, so that any machine can look at it, and with its checksum.

    Args:
        content: tensors and plain values.

    Example:
        >>> sorted(torch.load(io.BytesIO(as_bytes({"steps": 3}))))
        ['sha256', 'steps']
    """
    content = {name: _on_cpu(part) for name, part in content.items()}
    file = io.BytesIO()
    torch.save(content | {"sha256": checksum(content)}, file)
    return file.getvalue()


def _on_cpu(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.cpu()
    if isinstance(x, np.generic):
        return x.item()  # a safe reader knows no NumPy
    if type(x) is OrderedDict:
        moved = OrderedDict((name, _on_cpu(part)) for name, part in x.items())
        vars(moved).update(vars(x))  # a state dict carries the versions of its modules beside its entries
        return moved
    if type(x) is dict:
        return {name: _on_cpu(part) for name, part in x.items()}
    return type(x)(map(_on_cpu, x)) if type(x) in (list, tuple) else x


def parse(data: bytes) -> Any:
    """What the bytes hold; no code in them is run, and tensors come to the CPU.

    Args:
        data: as `as_bytes` gives them.

    Raises:
        ValueError: they cannot be read; says why.

    Example:
        >>> parse(as_bytes({"steps": 3}))["steps"]
        3
    """
    try:
        _check_archive(data)
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # a damaged archive makes its readers raise almost anything
        raise ValueError((str(error).splitlines() or [type(error).__name__])[0]) from error


def _check_archive(data: bytes) -> None:
    """Compare the archive with its own checksums, since torch's reader trusts the sizes that it finds."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    folders = (info.filename for info in archive.infolist() if info.external_attr & A_FOLDER)
    if name := archive.testzip() or next(folders, None):
        raise zipfile.BadZipFile(f"{name} is damaged")


def read(path: Path) -> Saved:
    """The content of a checkpoint.

    Args:
        path: the file.

    Raises:
        ValueError: the file is damaged, or no checkpoint.
        OSError: it cannot be opened.

    Example:
        >>> read(Path(__file__))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: ...saved.py cannot be read as a checkpoint (File is not a zip file). If fit wrote it, ...
    """
    try:
        saved = parse(path.read_bytes())
    except ValueError as error:
        raise ValueError(
            f"{path} cannot be read as a checkpoint ({error}). If fit wrote it, it is damaged: put a copy in its "
            "place, or move it away to start anew. If not, give the checkpoint another name"
        ) from error
    if not isinstance(saved, dict) or saved.keys() - {"sha256"} != CONTENT:
        raise ValueError(f"{path} is not a checkpoint of fit; give the checkpoint another name")
    if "sha256" in saved and checksum({name: saved[name] for name in saved if name != "sha256"}) != saved["sha256"]:
        raise ValueError(
            f"checkpoint {path} is damaged: its content does not agree with its checksum. Put a copy in its place, or "
            "move it away to start anew"
        )
    return saved


def said_by(saved: Saved) -> Settings:
    """The settings of the saved run, in words. Files from before the checksums say fewer of them.

    Args:
        saved: what `read` gave.

    Example:
        >>> said_by({"run": {"batch_size": 2}, "scheduler": None, "optimizer": {"param_groups": [{"lr": 0.5}]}})
        {'batch_size': '2', 'optimizer.0.lr': '0.5'}
    """
    if "sha256" in saved:
        return saved["run"]
    said = {name: in_words(value) or "" for name, value in saved["run"].items()}
    moving = {"params"} | ({"betas", "momentum"} if (saved["scheduler"] or {}).get("cycle_momentum") else set())
    for index, group in enumerate(saved["optimizer"]["param_groups"]):
        said |= group_in_words(index, {name: value for name, value in group.items() if name not in moving})
    return said
