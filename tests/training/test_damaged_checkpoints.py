"""No damaged file is trusted: each is refused with good advice, or proves to hold what was saved."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import blobs, small_method
from torch import Tensor, nn
from torch.optim import Adam
from torch.optim.lr_scheduler import MultiStepLR
from training_runs import Run

from fslbook import EpisodeSampler, PrototypicalNetwork
from fslbook.training.checksums import checksum
from fslbook.training.saved import as_bytes, read

OLD = Path(__file__).parent / "saved" / "before_checksums.pt"
FLIPS = 300


def tiny() -> Run:
    torch.manual_seed(0)
    method = PrototypicalNetwork(nn.Sequential(nn.Flatten(1), nn.Linear(16, 4), nn.BatchNorm1d(4)))
    sampler = EpisodeSampler(blobs(6, 6, size=4, noise=0.5), n_way=3, k_shot=1, n_query=2)
    return Run(method, scheduler=lambda o: MultiStepLR(o, [2], 0.5), sampler=sampler)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tiny().fit(3, tmp_path / "run.pt")
    return tmp_path / "run.pt"


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def positions(size: int) -> list[int]:
    """Bits drawn over the whole file, and more of them where its names and sizes stand, at the end."""
    draw = random.Random(0)
    return [draw.randrange(8 * size) for _ in range(FLIPS)] + [8 * size - 1 - 7 * i for i in range(FLIPS)]


def same(first: Any, second: Any) -> bool:
    """Bit by bit, by another way than the checksum's."""
    if isinstance(first, Tensor):
        return isinstance(second, Tensor) and first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


@pytest.mark.parametrize("which", ["new", "old"])
def test_no_single_flipped_bit_changes_what_is_resumed(which: str, path: Path) -> None:
    """Also those of before the checksums, since the archive has checksums of its own."""
    whole = (path if which == "new" else OLD).read_bytes()
    path.write_bytes(whole)
    right, refused = read(path), 0
    for bit in positions(len(whole)):
        path.write_bytes(flipped(whole, bit))
        try:
            assert same(read(path), right), f"bit {bit} was accepted"
        except ValueError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > FLIPS


@pytest.mark.parametrize("part", ["method", "optimizer", "scheduler", "generator", "rng", "history", "run", "sha256"])
def test_a_sound_archive_with_other_content_is_refused(part: str, path: Path) -> None:
    """The checksum stands by itself: nothing of the archive is wrong here."""
    saved = torch.load(path)
    saved[part] = f"{saved[part][:-1]}x" if part == "sha256" else changed(saved[part])
    torch.save(saved, path)
    with pytest.raises(
        ValueError, match=r"run.pt is damaged: its content does not agree with its checksum. Put a copy"
    ):
        tiny().fit(6, path)


def changed(x: Any) -> Any:
    """The same with its first number or word changed."""
    if isinstance(x, Tensor):
        first = x.reshape(-1)[:1]
        first += 1
        return x
    if isinstance(x, dict):
        name = next(name for name in x if x[name] not in ([], {}))
        x[name] = changed(x[name])
        return x
    if isinstance(x, list):
        return [changed(x[0]), *x[1:]]
    return f"{x}x" if isinstance(x, str) else x + 1


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_refused(share: float, path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"run.pt cannot be read .* move it away .* another name"):
        tiny().fit(6, path)


OTHERS: dict[str, Any] = {
    "weights": small_method().state_dict(),
    "a list": [1, 2, 3],
    "a part of one": {"run": "unknown"},
    "none of ours": {"epoch": 3, "state_dict": {}},
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_kind_is_never_to_be_deleted(name: str, path: Path) -> None:
    torch.save(OTHERS[name], path)
    with pytest.raises(
        ValueError, match=r"run.pt is not a checkpoint of fit; give the checkpoint another name"
    ) as caught:
        tiny().fit(6, path)
    assert "delete" not in str(caught.value)


@pytest.mark.parametrize("content", [b"not a checkpoint at all", b"\x80\x02}q\x00", b"PK\x03\x04", b"\x00" * 5000])
def test_what_no_reader_understands_is_refused(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run.pt cannot be read as a checkpoint \(.+\)"):
        tiny().fit(6, path)


def test_what_may_not_be_opened_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        tiny().fit(6, tmp_path)


def test_code_in_a_checkpoint_is_never_run(path: Path, tmp_path: Path) -> None:
    class Exploit:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "executed",))

    torch.save({"run": Exploit()}, path)
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        tiny().fit(6, path)
    assert not (tmp_path / "executed").exists()


PAIRS: dict[str, tuple[Any, Any]] = {
    "a number": (1, 2),
    "a sign": (0.0, -0.0),
    "a type": (1, 1.0),
    "an entry": ({"a": 1}, {"b": 1}),
    "an order": ([1, 2], [2, 1]),
    "a nesting": ([[1], 2], [[1, 2]]),
    "a weight": (torch.zeros(2), torch.tensor([0.0, -0.0])),
    "a shape": (torch.zeros(2, 3), torch.zeros(3, 2)),
    "a precision": (torch.zeros(2), torch.zeros(4, dtype=torch.bfloat16)),
    "a gradient": (torch.zeros(2), torch.zeros(2, requires_grad=True)),
    "one number": (torch.tensor(1.0), torch.tensor(2.0)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_checksum_tells_apart(name: str) -> None:
    first, second = PAIRS[name]
    assert checksum({"x": first}) == checksum({"x": first}) != checksum({"x": second})


def test_the_checksum_knows_the_versions_of_the_modules() -> None:
    first, second = nn.BatchNorm1d(2).state_dict(), nn.BatchNorm1d(2).state_dict()
    assert checksum(first) == checksum(second)
    second._metadata[""]["version"] = 1
    assert checksum(first) != checksum(second)


def test_what_is_written_is_what_is_read() -> None:
    method = small_method(nn.BatchNorm1d(16))
    content = {"method": method.state_dict(), "optimizer": Adam(method.parameters()).state_dict()}
    saved = torch.load(io.BytesIO(as_bytes(content)))
    assert same(dict(saved["method"]), dict(content["method"]))
    assert saved["method"]._metadata == content["method"]._metadata
    assert same(saved["optimizer"], content["optimizer"])
