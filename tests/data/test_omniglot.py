"""Omniglot: packed from archives, cut by class, refused when damaged. The last tests need the real archives."""

from __future__ import annotations

import hashlib
import http.client
import io
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import numbered_classes
from PIL import Image

from fslbook import ImageClasses, Splits, course_dataset, omniglot
from fslbook.data.cache import data_root
from fslbook.data.omniglot import has_omniglot

MODULE = sys.modules["fslbook.data.omniglot"]  # `fslbook.data.omniglot` itself names the function
COURSE = sys.modules["fslbook.data.course"]

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


# A small stand-in: the real alphabets and characters, but one drawing each (two of the very first).


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


@pytest.fixture(scope="session")
def drawn() -> dict[str, dict[str, np.ndarray]]:
    return {part: make_drawings(part) for part in PARTS}


@pytest.fixture(scope="session")
def archives(drawn: dict[str, dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archives")
    for part, drawings in drawn.items():
        write_archive(folder / f"{part}.zip", drawings)
    return folder


@pytest.fixture(scope="session")
def packed(archives: Path, drawn: dict[str, dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the stand-in already packed; copied, never changed."""
    root = tmp_path_factory.mktemp("packed")
    shutil.copytree(archives, root / "omniglot-py")
    with pytest.MonkeyPatch.context() as patch:
        trust_stand_in(patch, drawn)
        omniglot(root=root, download=False)
    return root


def trust_stand_in(patch: pytest.MonkeyPatch, drawn: dict[str, dict[str, np.ndarray]]) -> None:
    for part, drawings in drawn.items():
        pixels = hashlib.sha256(b"".join(drawing.tobytes() for drawing in drawings.values()))
        patch.setitem(MODULE.DIGESTS, part, pixels.hexdigest())


def no_download(*args: object, **kwargs: object) -> None:
    raise AssertionError("nothing may be downloaded here")


@pytest.fixture
def root(
    tmp_path: Path, archives: Path, drawn: dict[str, dict[str, np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A data folder with the stand-in's archives, not packed yet, and no way to download."""
    trust_stand_in(monkeypatch, drawn)
    monkeypatch.setattr(MODULE, "download_url", no_download)
    shutil.copytree(archives, tmp_path / "omniglot-py")
    return tmp_path


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


def test_every_split_has_its_size_and_no_class_twice(packed: Path) -> None:
    check_cuts(lambda split: omniglot(split, root=packed, download=False))


def test_vinyals_split_is_that_of_the_papers(packed: Path) -> None:
    check_vinyals(omniglot(root=packed, download=False))


def test_random_split_is_the_same_every_time_and_random(packed: Path) -> None:
    first, second = (omniglot("random", root=packed, download=False) for _ in range(2))
    assert first.novel.names == second.novel.names
    assert len(set(first.novel.groups)) > 40  # characters of nearly all of the 50 alphabets


def test_pixels_are_shrunk_in_grey_and_turned_to_bright_ink(
    packed: Path, drawn: dict[str, dict[str, np.ndarray]]
) -> None:
    splits = omniglot("background-evaluation", root=packed, download=False)
    found = {name: part[i] for part in parts_of(splits) for i, name in enumerate(part.names)}
    expected: dict[str, list[np.ndarray]] = {}
    for name, pixels in [*drawn["images_background"].items(), *drawn["images_evaluation"].items()]:
        small = Image.fromarray(pixels).resize((28, 28), Image.Resampling.LANCZOS)
        expected.setdefault("/".join(name.split("/")[1:3]), []).append(255 - np.asarray(small))
    assert found.keys() == expected.keys()
    for name, images in expected.items():
        assert np.array_equal(found[name].numpy(), np.stack(images)[:, None]), name
    assert {len(images) for images in expected.values()} == {1, 2}


def test_rotations_stay_in_their_split(packed: Path) -> None:
    splits = omniglot(root=packed, download=False)
    turned = splits.with_rotations()
    assert tuple(map(len, parts_of(turned))) == (4112, 688, 1692)  # the numbers of lines in the papers' files
    for before, after in zip(parts_of(splits), parts_of(turned), strict=True):
        assert {"/".join(name.split("/")[:2]) for name in after.names} == set(before.names)


def test_unknown_split_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'lake'; known are 'vinyals', 'background-evaluation', 'random'"):
        omniglot("lake", root=tmp_path, download=False)


def test_packed_once_then_the_archives_are_not_needed(root: Path) -> None:
    first = omniglot(root=root, download=False)
    shutil.rmtree(root / "omniglot-py")
    again = omniglot(root=root, download=False)
    assert torch.equal(again.novel.images, first.novel.images)


def test_a_damaged_pack_is_built_anew(root: Path, packed: Path) -> None:
    pack = root / "omniglot-28.npz"
    for damage in (lambda content: content[:-1000], lambda content: content[:9999] + b"!" + content[10000:]):
        shutil.copy(packed / "omniglot-28.npz", pack)
        pack.write_bytes(damage(pack.read_bytes()))
        again = omniglot(root=root, download=False)
        assert torch.equal(again.base.images, omniglot(root=packed, download=False).base.images)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("part", PARTS)
def test_a_truncated_archive_is_refused(part: str, share: float, root: Path) -> None:
    archive = root / "omniglot-py" / f"{part}.zip"
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=rf"{part}.zip is damaged .*; delete it and run again"):
        omniglot(root=root, download=False)
    assert not (root / "omniglot-28.npz").exists()


@pytest.mark.parametrize("place", ["compressed data", "flags", "method"])
def test_a_flipped_byte_in_an_archive_is_refused(place: str, root: Path) -> None:
    archive = root / "omniglot-py" / "images_background.zip"
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        first, directory = file.infolist()[0], file.start_dir
    data = first.header_offset + 30 + len(first.filename)
    content[{"compressed data": data, "flags": directory + 8, "method": directory + 10}[place]] ^= 0x07
    archive.write_bytes(content)
    with pytest.raises(ValueError, match=r"images_background.zip is damaged .*; delete it and run again"):
        omniglot(root=root, download=False)
    assert not (root / "omniglot-28.npz").exists()


def one_pixel(drawings: dict[str, np.ndarray]) -> None:
    drawings[next(iter(drawings))][50, 50] ^= 255


def one_drawing_less(drawings: dict[str, np.ndarray]) -> None:
    del drawings[next(iter(drawings))]


def another_size(drawings: dict[str, np.ndarray]) -> None:
    drawings[next(iter(drawings))] = np.zeros((100, 105), dtype=np.uint8)


def no_drawings(drawings: dict[str, np.ndarray]) -> None:
    drawings.clear()


@pytest.mark.parametrize("change", [one_pixel, one_drawing_less, another_size, no_drawings])
def test_an_archive_of_other_drawings_is_refused(
    change: Callable[[dict[str, np.ndarray]], None], root: Path, drawn: dict[str, dict[str, np.ndarray]]
) -> None:
    drawings = {name: pixels.copy() for name, pixels in drawn["images_evaluation"].items()}
    change(drawings)
    write_archive(root / "omniglot-py" / "images_evaluation.zip", drawings)
    number = len(drawings)
    with pytest.raises(ValueError, match=rf"the {number} images in .*images_evaluation.zip are not Omniglot's"):
        omniglot(root=root, download=False)
    assert not (root / "omniglot-28.npz").exists()


def test_an_archive_with_a_broken_picture_is_refused(root: Path) -> None:
    archive = root / "omniglot-py" / "images_evaluation.zip"
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("images_evaluation/Angelic/character01/0001_99.png", b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(ValueError, match=r"images_evaluation.zip is damaged"):
        omniglot(root=root, download=False)


# Downloads, without a network: what torchvision's `download_url` does is acted out.


def test_missing_archives_without_download_are_named(root: Path) -> None:
    (root / "omniglot-py" / "images_evaluation.zip").unlink()
    with pytest.raises(FileNotFoundError, match=r"images_evaluation.zip is missing; allow the download, or put"):
        omniglot(root=root, download=False)


FAILURES = [
    ConnectionResetError("reset by peer"),
    TimeoutError("timed out"),
    RuntimeError("File not found or corrupted."),
    http.client.IncompleteRead(b"half"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_download_that_stops_halfway_leaves_nothing_behind(
    failure: Exception, root: Path, archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "omniglot-py" / "images_background.zip").unlink()

    def half_a_download(url: str, folder: str, filename: str, md5: str) -> None:
        whole = (archives / filename).read_bytes()
        Path(folder, filename).write_bytes(whole[: len(whole) // 2])
        raise failure

    monkeypatch.setattr(MODULE, "download_url", half_a_download)
    with pytest.raises(OSError, match=r"could not download http.*images_background.zip: .*put the archive at .*zip"):
        omniglot(root=root)
    assert [file.name for file in (root / "omniglot-py").iterdir()] == ["images_evaluation.zip"]
    assert not (root / "omniglot-28.npz").exists()
    shutil.copy(archives / "images_background.zip", root / "omniglot-py")
    assert len(omniglot(root=root, download=False).novel) == 423


def test_ctrl_c_in_a_download_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "omniglot-py" / "images_background.zip").unlink()

    def interrupted(url: str, folder: str, filename: str, md5: str) -> None:
        Path(folder, filename).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(MODULE, "download_url", interrupted)
    with pytest.raises(KeyboardInterrupt):
        omniglot(root=root)
    assert [file.name for file in (root / "omniglot-py").iterdir()] == ["images_evaluation.zip"]


def test_missing_archives_are_downloaded_and_checked(
    tmp_path: Path, root: Path, archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def download(url: str, folder: str, filename: str, md5: str) -> None:
        fetched.append((url.split("/")[-1], filename, len(md5)))
        shutil.copy(archives / filename, folder)

    monkeypatch.setattr(MODULE, "download_url", download)
    assert len(omniglot(root=tmp_path / "new").novel) == 423
    assert fetched == [(f"{part}.zip", f"{part}.zip", 32) for part in PARTS]
    assert {file.name for file in (tmp_path / "new" / "omniglot-py").iterdir()} == {f"{part}.zip" for part in PARTS}


def test_archives_in_a_read_only_folder_work_in_memory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["fslbook.data.cache"], "_can_write", lambda folder: False)
    with pytest.warns(UserWarning, match="cannot write to .*, so omniglot-28 is packed anew"):
        assert len(omniglot(root=root, download=False).base) == 1028
    assert not (root / "omniglot-28.npz").exists()


def test_has_omniglot_with_both_archives_or_the_pack(tmp_path: Path, root: Path, packed: Path) -> None:
    assert not has_omniglot(tmp_path / "empty")
    assert has_omniglot(root)
    (root / "omniglot-py" / "images_background.zip").unlink()
    assert not has_omniglot(root)
    shutil.copy(packed / "omniglot-28.npz", root)
    assert has_omniglot(root)


# The chapters' data set: which one, said in one line.


@pytest.fixture
def stand_in_glyphs(monkeypatch: pytest.MonkeyPatch) -> Splits:
    parts = [numbered_classes([1] * n) for n in (3, 2, 1)]
    named = (replace(part, names=[f"{i}{name}" for name in part.names]) for i, part in enumerate(parts))
    splits = Splits("glyphs", *named)
    monkeypatch.setattr(COURSE, "glyphs", lambda root=None: splits)
    return splits


def printed_line(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().out.splitlines()
    return line


def test_course_takes_omniglot_where_it_is(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert course_dataset(packed).name == "omniglot/vinyals"
    assert printed_line(capsys) == "Data: Omniglot, 1,028 base, 172 validation, 423 novel classes."


def test_course_takes_the_glyphs_without_network_and_says_so(
    tmp_path: Path, stand_in_glyphs: Splits, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(COURSE.urllib.request, "urlopen", no_network)
    assert course_dataset(tmp_path) is stand_in_glyphs
    assert "no Omniglot" in printed_line(capsys)


def test_course_takes_the_glyphs_when_the_download_fails_and_says_why(
    tmp_path: Path, stand_in_glyphs: Splits, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("File not found or corrupted.")

    monkeypatch.setattr(COURSE, "_can_download", lambda: True)
    monkeypatch.setattr(MODULE, "download_url", fail)
    assert course_dataset(tmp_path) is stand_in_glyphs
    said = capsys.readouterr().out
    assert "could not be downloaded" in said
    assert "corrupted" in said
    assert "glyphs" in said


def test_course_never_replaces_a_damaged_omniglot_in_silence(root: Path, stand_in_glyphs: Splits) -> None:
    (root / "omniglot-py" / "images_background.zip").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"images_background.zip is damaged"):
        course_dataset(root)


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
