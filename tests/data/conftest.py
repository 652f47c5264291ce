"""The stand-in for Omniglot as archives, packed, and in a data folder that a test may change."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from stand_in import DRAWINGS, MODULE, PARTS, make_drawings, no_download, packed_identity, trust_digests, write_archive
from torch import Tensor

from fslbook import omniglot
from fslbook.data.drawing import distances, skeletons
from fslbook.data.fonts import repertoire


@pytest.fixture(scope="session")
def drawn() -> DRAWINGS:
    return {part: make_drawings(part) for part in PARTS}


@pytest.fixture(scope="session")
def archives(drawn: DRAWINGS, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the archives of the stand-in; copied, never changed."""
    folder = tmp_path_factory.mktemp("archives")
    (folder / "omniglot-py").mkdir()
    for part, drawings in drawn.items():
        write_archive(folder / "omniglot-py" / f"{part}.zip", drawings)
    return folder


@pytest.fixture(scope="session")
def stand_in_identity(archives: Path, drawn: DRAWINGS) -> str:
    return packed_identity(archives, drawn)


@pytest.fixture
def trusted(drawn: DRAWINGS, stand_in_identity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in is taken for Omniglot, and there is no way to download anything."""
    trust_digests(monkeypatch, drawn)
    monkeypatch.setattr(MODULE, "IDENTITY", stand_in_identity)
    monkeypatch.setattr(MODULE, "fetch", no_download)


@pytest.fixture(scope="session")
def packed_once(
    archives: Path, drawn: DRAWINGS, stand_in_identity: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    root = tmp_path_factory.mktemp("packed")
    shutil.copytree(archives, root, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        trust_digests(patch, drawn)
        patch.setattr(MODULE, "IDENTITY", stand_in_identity)
        omniglot(root=root, download=False)
    return root


@pytest.fixture
def packed(packed_once: Path, trusted: None) -> Path:
    """A data folder with the stand-in already packed; copied, never changed."""
    return packed_once


@pytest.fixture
def root(tmp_path: Path, archives: Path, trusted: None) -> Path:
    """A data folder with the stand-in's archives, not packed yet."""
    shutil.copytree(archives, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No proxy between a test and its server. Connections that urllib leaves open are found in this test."""
    monkeypatch.setenv("no_proxy", "*")
    yield
    gc.collect()


@pytest.fixture(scope="session")
def prints() -> dict[str, Tensor]:
    return repertoire()


@pytest.fixture(scope="session")
def some(prints: dict[str, Tensor]) -> dict[str, Tensor]:
    """Distances to the skeletons of 80 characters, more than one portion of `draw_characters`."""
    names = list(prints)[::20][:80]
    return dict(zip(names, distances(skeletons(torch.stack([prints[name] for name in names]))), strict=True))
