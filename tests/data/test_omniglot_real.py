"""The real Omniglot, where it is at hand."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from stand_in import MODULE, PARTS, REAL_DIGESTS, check_cuts, check_vinyals, parts_of

from fslbook import Splits, omniglot
from fslbook.data.cache import data_root
from fslbook.data.omniglot import has_omniglot

# The real Omniglot.


@pytest.fixture(scope="module")
def real() -> Callable[[str], Splits]:
    if not has_omniglot():
        pytest.skip("Omniglot is not in the data folder; set FSLBOOK_DATA to a folder with omniglot-py/*.zip")
    return lambda split="vinyals": omniglot(split, download=False)


def test_real_counts(real: Callable[[str], Splits]) -> None:
    lake = real("background-evaluation")
    assert (len(lake.base) + len(lake.validation), len(lake.novel)) == (964, 659)
    for part in parts_of(lake):
        assert set(part.counts.tolist()) == {20}
        assert part.images.shape == (20 * len(part), 1, 28, 28)
        assert part.images.dtype == torch.uint8
    assert sum(len(part.images) for part in parts_of(lake)) == 32_460


def test_real_splits(real: Callable[[str], Splits]) -> None:
    check_cuts(real)
    check_vinyals(real("vinyals"))


def test_real_ink_is_bright_and_every_drawing_has_some(real: Callable[[str], Splits]) -> None:
    for part in parts_of(real("vinyals")):
        ink = part.images.double().mean(dim=(1, 2, 3)) / 255
        assert 0.05 < float(ink.mean()) < 0.2
        assert float(part.images.amax(dim=(1, 2, 3)).min()) > 100


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_real_archives_hold_the_drawings_that_the_digests_promise(part: str, real: Callable[[str], Splits]) -> None:
    archive = data_root() / "omniglot-py" / f"{part}.zip"
    if not archive.exists():
        pytest.skip(f"{part}.zip is not in the data folder, only the packed Omniglot")
    assert REAL_DIGESTS[part] == MODULE.DIGESTS[part]
    pixels, sample = hashlib.sha256(), {}
    with zipfile.ZipFile(archive) as file:
        for number, name in enumerate(sorted(n for n in file.namelist() if n.endswith(".png"))):
            drawing = Image.open(io.BytesIO(file.read(name))).convert("L")
            pixels.update(np.asarray(drawing).tobytes())
            if number % 997 == 0:
                small = drawing.resize((28, 28), Image.Resampling.LANCZOS)
                sample[name] = 255 - np.asarray(small)
    assert pixels.hexdigest() == REAL_DIGESTS[part]
    lake = real("background-evaluation")
    for name, expected in sample.items():
        _, alphabet, character, file_name = name.split("/")
        home = next(p for p in parts_of(lake) if f"{alphabet}/{character}" in p.names)
        drawings = home[home.names.index(f"{alphabet}/{character}")]
        assert np.array_equal(drawings[int(file_name[5:7]) - 1, 0].numpy(), expected), name
