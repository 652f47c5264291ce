"""A training never loses its work to its checkpoint: it tries to write before step 1, and survives a full disk."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import devices, easy_sampler, small_method
from torch import nn
from torch.optim import SGD, Adam
from training_runs import Run, Scripted

from fslbook import fit
from fslbook.training.saved import as_bytes, read


def test_checkpoints_are_written_on_the_way(tmp_path: Path) -> None:
    path, seen, run = tmp_path / "run.pt", [], Run()

    def note(module: nn.Module, inputs: object, output: object) -> None:
        seen.append(len(torch.load(path, weights_only=True)["history"]["loss"]) if path.exists() else None)

    run.method.register_forward_hook(note)
    run.fit(6, path, checkpoint_every=2)
    assert seen == [None, None, 2, 2, 4, 4]
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


@pytest.mark.parametrize("place", ["a file is in the way", "read-only"])
def test_a_place_that_cannot_be_written_to_stops_the_training_before_it_begins(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "run.pt" if place == "a file is in the way" else Path("/proc/run.pt")
    method = Scripted(lambda step: None)
    with pytest.raises(OSError, match=rf"{path.parent}"):
        fit(method, easy_sampler(), 3, checkpoint=path, progress=False)
    assert method.step == 0


def test_what_could_not_be_read_again_is_refused_before_it_begins(tmp_path: Path) -> None:
    run = Run(optimizer=lambda p: SGD(p, lr=0.1))
    run.optimizer.param_groups[0]["note"] = object()
    with pytest.raises(ValueError, match="a checkpoint of this training could not be read again"):
        run.fit(3, tmp_path / "run.pt")
    assert not [*tmp_path.iterdir()]


def test_the_numbers_of_numpy_can_be_saved(tmp_path: Path) -> None:
    def build() -> Run:
        return Run(optimizer=lambda p: Adam(p, lr=np.float64(0.01)))

    build().fit(np.int64(2), tmp_path / "run.pt", batch_size=np.int64(2), checkpoint_every=np.int64(1))
    assert len(build().fit(4, tmp_path / "run.pt").loss) == 4


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_costs_neither_the_training_nor_the_older_checkpoint(tmp_path: Path) -> None:
    path, unbroken = tmp_path / "run.pt", Run()
    Run().fit(3, path)
    saved, history, run = path.read_bytes(), unbroken.fit(8), Run()
    full = full_disk(1000)

    def fill(module: nn.Module, inputs: object, output: object) -> None:
        full.__enter__()
        handle.remove()

    handle = run.method.register_forward_hook(fill)  # after the try before the first step
    try:
        with pytest.warns(
            RuntimeWarning, match=r"no checkpoint of step [68]: .*run.pt.*too large.*older one is as it was"
        ):
            reached = run.fit(8, path, checkpoint_every=3)
    finally:
        full.__exit__(None, None, None)
    assert reached.loss == history.loss
    assert all(torch.equal(a, b) for a, b in zip(run.method.parameters(), unbroken.method.parameters(), strict=True))
    assert path.read_bytes() == saved
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]
    assert Run().fit(8, path).loss == history.loss


def test_a_disk_that_is_full_from_the_start_says_so_at_once(tmp_path: Path) -> None:
    method = Scripted(lambda step: None)
    with full_disk(1000), pytest.raises(OSError, match="too large"):
        fit(method, easy_sampler(), 3, checkpoint=tmp_path / "run.pt", progress=False)
    assert method.step == 0
    assert not [*tmp_path.iterdir()]


def test_a_finished_run_can_be_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    history = Run().fit(3, tmp_path / "run.pt")
    with full_disk(1000):
        assert Run().fit(3, tmp_path / "run.pt").loss == history.loss


KILLED = """
import os, signal, sys
from pathlib import Path
from training_runs import Run

write, written = Path.write_bytes, []

def break_off_at_the_second(path, data):
    written.append(path)
    write(path, data if len(written) == 1 else data[:1000])
    if len(written) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

Path.write_bytes = break_off_at_the_second
Run().fit(9, Path(sys.argv[1]), checkpoint_every=1)
"""


@pytest.mark.slow
def test_a_kill_while_saving_leaves_the_checkpoint_before_and_its_orphan_is_swept(tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(KILLED)
    tests, folder = Path(__file__).resolve().parents[1], tmp_path / "runs"
    environment = {**os.environ, "PYTHONPATH": f"{tests.parent}:{tests}"}
    command = [sys.executable, str(tmp_path / "killed.py"), str(folder / "run.pt")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(torch.load(folder / "run.pt")["history"]["loss"]) == 1
    (orphan,) = folder.glob("*.tmp")
    os.utime(orphan, (0, 0))  # a fresh one might be that of a process at work
    assert Run().fit(9, folder / "run.pt").loss == Run().fit(9).loss
    assert [file.name for file in folder.iterdir()] == ["run.pt"]


@pytest.mark.parametrize("device", devices())
def test_a_checkpoint_of_any_device_can_be_looked_at_on_a_cpu(device: str) -> None:
    method = small_method().to(device)
    optimizer = Adam(method.parameters(), lr=torch.tensor(0.1, device=device), capturable=device == "cuda")
    saved = torch.load(io.BytesIO(as_bytes({"method": method.state_dict(), "optimizer": optimizer.state_dict()})))
    assert {x.device.type for x in saved["method"].values()} == {"cpu"}
    assert saved["optimizer"]["param_groups"][0]["lr"].device.type == "cpu"


def test_a_checkpoint_of_another_kind_of_device_does_not_go_on_here(tmp_path: Path) -> None:
    """Its random numbers would be others; its weights can be taken, as the error says."""
    path = tmp_path / "run.pt"
    Run().fit(2, path)
    saved = read(path)
    assert saved["run"]["device"] == "'cpu'"
    saved["run"]["device"] = "'cuda'"
    path.write_bytes(as_bytes({name: part for name, part in saved.items() if name != "sha256"}))
    with pytest.raises(ValueError, match=r"device is 'cuda' there and 'cpu' here.*weights alone"):
        Run().fit(4, path)
