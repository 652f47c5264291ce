"""A small stand-in for Omniglot: the real alphabets and characters, but one drawing each (two of the very first)."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fslbook import ImageClasses, Splits
from fslbook.data.cache import identity
from fslbook.data.joining import concatenate

MODULE = sys.modules["fslbook.data.omniglot"]  # `fslbook.data.omniglot` itself names the function
DRAWINGS = dict[str, dict[str, np.ndarray]]
"""The pixels of each part by the paths in its archive."""

BACKGROUND = {
    **{"Alphabet_of_the_Magi": 20, "Anglo-Saxon_Futhorc": 29, "Arcadian": 26, "Armenian": 41},
    **{"Asomtavruli_(Georgian)": 40, "Balinese": 24, "Bengali": 46, "Blackfoot_(Canadian_Aboriginal_Syllabics)": 14},
    **{"Braille": 26, "Burmese_(Myanmar)": 34, "Cyrillic": 33, "Early_Aramaic": 22, "Futurama": 26, "Grantha": 43},
    **{"Greek": 24, "Gujarati": 48, "Hebrew": 22, "Inuktitut_(Canadian_Aboriginal_Syllabics)": 16},
    **{"Japanese_(hiragana)": 52, "Japanese_(katakana)": 47, "Korean": 40, "Latin": 26, "Malay_(Jawi_-_Arabic)": 40},
    **{"Mkhedruli_(Georgian)": 41, "N_Ko": 33, "Ojibwe_(Canadian_Aboriginal_Syllabics)": 14, "Sanskrit": 42},
    **{"Syriac_(Estrangelo)": 23, "Tagalog": 17, "Tifinagh": 55},
}
EVALUATION = {
    **{"Angelic": 20, "Atemayar_Qelisayer": 26, "Atlantean": 26, "Aurek-Besh": 26, "Avesta": 26, "Ge_ez": 26},
    **{"Glagolitic": 45, "Gurmukhi": 45, "Kannada": 41, "Keble": 26, "Malayalam": 47, "Manipuri": 40},
    **{"Mongolian": 30, "Old_Church_Slavonic_(Cyrillic)": 45, "Oriya": 46, "Sylheti": 28, "Syriac_(Serto)": 23},
    **{"Tengwar": 25, "Tibetan": 42, "ULOG": 26},
}
VALIDATION = {"Armenian", "Bengali", "Early_Aramaic", "Hebrew", "Mkhedruli_(Georgian)"}
PARTS = {"images_background": BACKGROUND, "images_evaluation": EVALUATION}
REAL_DIGESTS = {
    "images_background": "f32435a80e3966c7aa29e20298c2c9ec9947dbf555cecea37d51cfc8e1365fa0",
    "images_evaluation": "eb68a59f8009779aa59cff308d7af8e3b946a55d740dad6a8ed9364f7c20fa27",
}
SIZES = {"vinyals": (1028, 172, 423), "background-evaluation": (792, 172, 659), "random": (1100, 100, 423)}


def scribble(generator: np.random.Generator) -> np.ndarray:
    """Ink 0 on paper 255, 105×105: two random strokes."""
    paper = np.full((105, 105), 255, dtype=np.uint8)
    for row, column in generator.integers(10, 80, (2, 2)):
        paper[row : row + 6, column : column + 20] = 0
    return paper


def write_archive(path: Path, drawings: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pixels in reversed(drawings.items()):  # the order in the archive must not matter
            buffer = io.BytesIO()
            Image.fromarray(pixels).convert("1").save(buffer, "PNG")
            archive.writestr(name, buffer.getvalue())


def make_drawings(part: str) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(len(part))
    drawings = {}
    for alphabet, characters in PARTS[part].items():
        for number in range(1, characters + 1):
            for copy in range(2 if not drawings else 1):
                name = f"{part}/{alphabet}/character{number:02d}/{number:04d}_{copy + 1:02d}.png"
                drawings[name] = scribble(generator)
    return dict(sorted(drawings.items()))


def trust_digests(patch: pytest.MonkeyPatch, drawn: DRAWINGS) -> None:
    for part, drawings in drawn.items():
        pixels = hashlib.sha256(b"".join(drawing.tobytes() for drawing in drawings.values()))
        patch.setitem(MODULE.DIGESTS, part, pixels.hexdigest())


def packed_identity(folder: Path, drawn: DRAWINGS) -> str:
    """What the stand-in must be once it is packed."""
    paths = [folder / "omniglot-py" / f"{part}.zip" for part in PARTS]
    with pytest.MonkeyPatch.context() as patch:
        trust_digests(patch, drawn)
        return identity(concatenate(*(MODULE._pack(path.read_bytes(), path) for path in paths)))


def no_download(*args: object, **kwargs: object) -> None:
    raise AssertionError("nothing may be downloaded here")


def parts_of(splits: Splits) -> tuple[ImageClasses, ImageClasses, ImageClasses]:
    return splits.base, splits.validation, splits.novel


def check_cuts(load: Callable[[str], Splits]) -> None:
    """What holds for the stand-in as for the real data: who is in which split."""
    everyone = {f"{a}/character{i:02d}" for part in PARTS.values() for a, n in part.items() for i in range(1, n + 1)}
    for split, sizes in SIZES.items():
        splits = load(split)
        names = [set(part.names) for part in parts_of(splits)]
        assert splits.name == f"omniglot/{split}"
        assert tuple(map(len, parts_of(splits))) == tuple(map(len, names)) == sizes
        assert set.union(*names) == everyone  # sizes add up to 1,623, so no class is in two splits
        if split != "random":
            assert set(splits.validation.groups) == VALIDATION
    lake = load("background-evaluation")
    assert Counter(lake.novel.groups) == EVALUATION
    assert Counter(lake.base.groups) + Counter(lake.validation.groups) == BACKGROUND


def check_vinyals(splits: Splits) -> None:
    """Base: 25 background alphabets and the first 236 evaluation characters. Only Gurmukhi is in base and novel."""
    late = ["Kannada", "Keble", "Malayalam", "Manipuri", "Mongolian", "Old_Church_Slavonic_(Cyrillic)", "Oriya"]
    late += ["Sylheti", "Syriac_(Serto)", "Tengwar", "Tibetan", "ULOG"]
    assert Counter(splits.novel.groups) == {"Gurmukhi": 4, **{alphabet: EVALUATION[alphabet] for alphabet in late}}
    gurmukhi = {name for name in splits.novel.names if name.startswith("Gurmukhi/")}
    assert gurmukhi == {f"Gurmukhi/character{number}" for number in (42, 43, 44, 45)}
    early = ["Angelic", "Atemayar_Qelisayer", "Atlantean", "Aurek-Besh", "Avesta", "Ge_ez", "Glagolitic"]
    base = {name: count for name, count in BACKGROUND.items() if name not in VALIDATION}
    base |= {name: EVALUATION[name] for name in early} | {"Gurmukhi": 41}
    assert Counter(splits.base.groups) == base
