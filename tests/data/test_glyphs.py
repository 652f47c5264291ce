"""The bundled glyphs: enough classes, all unlike each other, the same by seed, and worth learning on."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from fslbook.data import Splits, glyphs
from fslbook.data.fonts import SCRIPTS
from fslbook.data.glyphs import FAR, NEAR, NOVEL, VALIDATION, differences, draw_characters
from fslbook.evaluation import evaluate
from fslbook.methods.metric.nearest_neighbour import NearestNeighbour
from fslbook.methods.metric.prototypical import PrototypicalNetwork
from fslbook.networks.encoders import Conv4
from fslbook.tasks.sampler import EpisodeSampler
from fslbook.training.loop import fit

module = importlib.import_module("fslbook.data.glyphs")  # `fslbook.data.glyphs` is the function of that name


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered once: in $FSLBOOK_DATA, where it stays for the next run, or in a temporary folder."""
    return Path(os.environ.get("FSLBOOK_DATA") or tmp_path_factory.mktemp("glyphs"))


@pytest.fixture(scope="session")
def splits(root: Path) -> Splits:
    return glyphs(root)


@pytest.fixture
def untouched_globals() -> Iterator[None]:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    yield
    torch.set_num_threads(threads)
    torch.set_rng_state(state)


def code_points(splits: Splits) -> list[str]:
    names = splits.base.names + splits.validation.names + splits.novel.names
    return [chr(int(name.split("U+")[1], 16)) for name in names]


@pytest.mark.slow
def test_at_least_a_thousand_classes_of_twelve_scripts_with_twenty_drawings(splits: Splits) -> None:
    parts = (splits.base, splits.validation, splits.novel)
    assert sum(len(part) for part in parts) >= 1000
    assert len(splits.validation) >= 60 and len(splits.novel) >= 150
    assert len({group for part in parts for group in part.groups}) >= 12
    assert all(part.counts.eq(20).all() for part in parts)


def test_images_are_bytes_with_ink_high_on_paper_low(splits: Splits) -> None:
    for part in (splits.base, splits.validation, splits.novel):
        assert part.images.dtype == torch.uint8
        assert part.images.shape == (20 * len(part), 1, 28, 28)
        ink = part.images.flatten(1).float() / 255
        assert ink.amax(dim=1).min() > 0.8, "a drawing without ink"
        assert ink.mean(dim=1).max() < 0.6, "a drawing which is mostly ink"
        assert 0.05 < ink.mean() < 0.3


def test_all_drawings_of_a_class_differ(splits: Splits) -> None:
    for part in (splits.base, splits.validation, splits.novel):
        drawings = part.images.view(len(part), 20, -1).numpy()
        assert all(len({drawing.tobytes() for drawing in of_class}) == 20 for of_class in drawings)


def test_splits_are_disjoint_by_script_and_by_character(splits: Splits) -> None:
    base, validation, novel = (set(part.groups) for part in (splits.base, splits.validation, splits.novel))
    assert novel == set(NOVEL) and validation == set(VALIDATION)
    assert base == set(SCRIPTS) - novel - validation
    assert len(novel) >= 3
    assert len(set(code_points(splits))) == len(code_points(splits))


@pytest.mark.parametrize("alike", ["AΑА", "OoοОо0Օօⵔ", "HΗН", "TТΤ", "dp", "VᐯΛᐱ", "SЅ", "طظ", "cсϲ", "lاI"])
def test_of_characters_that_look_alike_at_most_one_is_a_class(splits: Splits, alike: str) -> None:
    assert sum(character in alike for character in code_points(splits)) <= 1


def test_no_two_classes_look_the_same(splits: Splits) -> None:
    """Independent of how classes are chosen: the drawings of two classes never agree on average."""
    images = torch.cat([part.images for part in (splits.base, splits.validation, splits.novel)])
    means = images.view(-1, 20, 28 * 28).float().mean(dim=1)
    centred = torch.nn.functional.normalize(means - means.mean(dim=1, keepdim=True), dim=1)
    likeness = (centred @ centred.T).fill_diagonal_(0)
    assert likeness.max() < 0.99


def test_a_second_call_reads_what_the_first_has_written(
    splits: Splits, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "repertoire", lambda: pytest.fail("rendered again"))
    again = glyphs(root)
    assert again.novel.names == splits.novel.names
    assert torch.equal(again.novel.images, splits.novel.images)


def test_each_seed_has_its_own_cache(
    splits: Splits, some: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {f"{script}/U+{i:04X}": d for i, (script, d) in enumerate(zip(SCRIPTS, some.values(), strict=False))}
    monkeypatch.setattr(module, "distinct", lambda characters: few)
    monkeypatch.setattr(module, "repertoire", dict)
    first, second, first_again = (glyphs(tmp_path, seed=seed) for seed in (0, 1, 0))
    assert not torch.equal(first.novel.images, second.novel.images)
    assert torch.equal(first.novel.images, first_again.novel.images)


def test_other_fonts_have_their_own_cache(
    some: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{script}/U+{i:04X}" for i, script in enumerate(SCRIPTS)]
    monkeypatch.setattr(module, "repertoire", dict)
    counts = []
    for digest, kept in (("1234abcd", len(names)), ("5678cdef", len(names) - 1), ("1234abcd", 0)):
        monkeypatch.setattr(module, "fonts_digest", lambda digest=digest: digest)
        few = dict(zip(names[:kept], some.values(), strict=False))
        monkeypatch.setattr(module, "distinct", lambda characters, few=few: few)
        counts.append(len(glyphs(tmp_path).base))
    assert counts[1] == counts[0] - 1 and counts[2] == counts[0]


def test_drawings_depend_on_the_seed_alone(some: dict[str, Tensor], untouched_globals: None) -> None:
    images = []
    for seed, global_seed, threads in ((3, 0, 1), (3, 1, 2), (4, 0, 1)):
        torch.manual_seed(global_seed)
        torch.set_num_threads(threads)
        before = torch.get_rng_state()
        images.append(draw_characters(some, seed).images)
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(images[0], images[1])
    assert (images[0] != images[2]).flatten(1).any(dim=1).all()


@pytest.mark.slow
def test_nearest_neighbours_fail_where_prototypes_succeed(splits: Splits, untouched_globals: None) -> None:
    torch.manual_seed(0)
    novel = EpisodeSampler(splits.novel, 5, 1, 15, seed=1)
    pixels = evaluate(NearestNeighbour(), novel, 600)
    prototypes = PrototypicalNetwork(Conv4())
    fit(prototypes, EpisodeSampler(splits.base, 20, 1, 5), 60, progress=False)
    assert 0.3 < pixels.mean <= 0.6
    assert evaluate(prototypes, novel, 600).mean >= pixels.mean + 0.25


def test_differences_count_ink_far_from_the_other_character(some: dict[str, Tensor]) -> None:
    distance = torch.stack(list(some.values())[:5])
    got = differences(distance)
    for turn in range(4):
        turned = np.rot90(distance.numpy(), turn, axes=(1, 2))
        for i in range(5):
            for j, other in enumerate(distance.numpy()):
                one_way = np.sum((turned[i] <= NEAR) & (other > FAR))
                assert got[turn, i, j] == max(one_way, np.sum((other <= NEAR) & (turned[i] > FAR)))
