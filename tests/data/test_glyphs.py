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
from fslbook.data.drawing import CANVAS, REACH, distances, draw, printed, skeletons
from fslbook.data.glyphs import (
    FAR,
    NEAR,
    NOVEL,
    SCRIPTS,
    VALIDATION,
    differences,
    draw_characters,
    open_font,
    repertoire,
    script_of,
)
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


@pytest.fixture(scope="session")
def prints() -> dict[str, Tensor]:
    return repertoire()


@pytest.fixture(scope="session")
def some(prints: dict[str, Tensor]) -> dict[str, Tensor]:
    """Distances to the skeletons of 80 characters, more than one portion of `draw_characters`."""
    names = list(prints)[::20][:80]
    return dict(zip(names, distances(skeletons(torch.stack([prints[name] for name in names]))), strict=True))


@pytest.fixture
def untouched_globals() -> Iterator[None]:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    yield
    torch.set_num_threads(threads)
    torch.set_rng_state(state)


def code_points(splits: Splits) -> list[str]:
    names = splits.base.names + splits.validation.names + splits.novel.names
    return [chr(int(name.split("U+")[1], 16)) for name in names]


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
    monkeypatch.setattr(module, "distinct", lambda: pytest.fail("rendered again"))
    again = glyphs(root)
    assert again.novel.names == splits.novel.names
    assert torch.equal(again.novel.images, splits.novel.images)


def test_each_seed_has_its_own_cache(
    splits: Splits, some: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {f"{script}/U+{i:04X}": d for i, (script, d) in enumerate(zip(SCRIPTS, some.values(), strict=False))}
    monkeypatch.setattr(module, "distinct", lambda: few)
    first, second, first_again = (glyphs(tmp_path, seed=seed) for seed in (0, 1, 0))
    assert not torch.equal(first.novel.images, second.novel.images)
    assert torch.equal(first.novel.images, first_again.novel.images)


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


def test_nearest_neighbours_fail_where_prototypes_succeed(splits: Splits, untouched_globals: None) -> None:
    torch.manual_seed(0)
    novel = EpisodeSampler(splits.novel, 5, 1, 15, seed=1)
    pixels = evaluate(NearestNeighbour(), novel, 600)
    prototypes = PrototypicalNetwork(Conv4())
    fit(prototypes, EpisodeSampler(splits.base, 20, 1, 5), 60, progress=False)
    assert 0.3 < pixels.mean <= 0.6
    assert evaluate(prototypes, novel, 600).mean >= pixels.mean + 0.25


def test_thinning_leaves_one_pixel_wide_lines_and_every_dot() -> None:
    ink = torch.zeros(7, 40, 40, dtype=torch.bool)
    for size in range(1, 7):
        ink[size - 1, 10 : 10 + size, 10 : 10 + size] = True
    ink[6, 10:16, 5:35] = True
    lines = skeletons(ink)
    assert lines[:6].sum(dim=(1, 2)).tolist() == pytest.approx([1] * 6, abs=1)
    assert torch.nonzero(lines[6].any(dim=1)).flatten().tolist() in ([12], [13]), "not along the middle of the bar"
    assert 24 <= lines[6].sum() <= 30
    assert not (lines & ~ink).any()


def pieces(ink: np.ndarray) -> int:
    """Number of 8-connected pieces."""
    left, count = set(map(tuple, np.argwhere(ink).tolist())), 0
    while left:
        count, front = count + 1, [left.pop()]
        while front:
            y, x = front.pop()
            near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            front.extend(near)
    return count


def test_thinning_neither_cuts_nor_joins_strokes(prints: dict[str, Tensor]) -> None:
    ink = torch.stack(list(prints.values())[::15])
    lines = skeletons(ink)
    assert lines.sum() < 0.4 * ink.sum()
    assert [pieces(line) for line in lines.numpy()] == [pieces(print_) for print_ in ink.numpy()]


def test_distances_are_euclidean_up_to_their_reach() -> None:
    lines = torch.rand(4, 40, 40, generator=torch.Generator().manual_seed(0)) < 0.004
    lines[0] = False
    for got, line in zip(distances(lines).numpy(), lines.numpy(), strict=True):
        wanted = np.full((40, 40), float(REACH))
        for y, x in np.argwhere(line):
            wanted = np.minimum(wanted, np.hypot(*np.ogrid[-y : 40 - y, -x : 40 - x]))
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_differences_count_ink_far_from_the_other_character(some: dict[str, Tensor]) -> None:
    distance = torch.stack(list(some.values())[:5])
    got = differences(distance)
    for turn in range(4):
        turned = np.rot90(distance.numpy(), turn, axes=(1, 2))
        for i in range(5):
            for j, other in enumerate(distance.numpy()):
                one_way = np.sum((turned[i] <= NEAR) & (other > FAR))
                assert got[turn, i, j] == max(one_way, np.sum((other <= NEAR) & (turned[i] > FAR)))


def test_a_printed_character_is_centred_and_fills_the_canvas() -> None:
    font, _ = open_font(Path(module.matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
    ink = printed(font, "H")
    assert ink is not None
    rows, columns = (torch.nonzero(ink.any(dim=dim))[:, 0] for dim in (1, 0))
    assert rows.max() - rows.min() == 43
    assert abs(int(rows.max() + rows.min()) - CANVAS) <= 1 and abs(int(columns.max() + columns.min()) - CANVAS) <= 1
    assert printed(font, " ") is None


def test_pens_differ_in_width_and_hands_in_place() -> None:
    line = torch.zeros(1, CANVAS, CANVAS, dtype=torch.bool)
    line[0, 12:52, 32] = True
    ink = draw(distances(line), 200, torch.Generator().manual_seed(0))[0, :, 0].float() / 255  # [200, 28, 28]
    width = ink.sum(dim=(1, 2)) / ink.amax(dim=2).sum(dim=1)
    place = (ink.sum(dim=1) * torch.arange(28)).sum(dim=1) / ink.sum(dim=(1, 2))
    assert 1.4 < width.mean() < 2.2 and 0.35 < width.std() < 0.6, "one pen alone would give 0.28"
    assert 0.7 < place.std() < 2.5 and abs(float(place.mean()) - 13.7) < 0.5


@pytest.mark.parametrize(
    ("script", "characters"),
    [
        ("Latin", "Aß"),
        ("Cyrillic", "Ж"),
        ("N'Ko", "\u07c0"),
        ("Fraktur", "𝔄"),
        ("Mathematics", "∀⊗"),
        (None, "é\u0301ﬁ7+← \ue000\u0378"),  # composed, mark, ligature, no script's own, blank, unassigned
    ],
)
def test_script_of(script: str | None, characters: str) -> None:
    assert [script_of(character) for character in characters] == [script] * len(characters)


def test_a_missing_unreadable_or_poor_font_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"Absent\.ttf is missing"):
        open_font(tmp_path / "Absent.ttf")
    (tmp_path / "Broken.ttf").write_bytes(b"not a font")
    with pytest.raises(ValueError, match=r"Broken\.ttf is not a readable font"):
        open_font(tmp_path / "Broken.ttf")
    with pytest.raises(ValueError, match=r"STIXGeneral\.ttf in .* have no characters of Georgian, Lao"):
        repertoire(("STIXGeneral.ttf",))
