"""Settings for every test: one thread a worker, and pictures that need no screen."""

import os
import sys
from collections.abc import Iterator

os.environ.setdefault("MPLBACKEND", "Agg")
if "PYTEST_XDIST_WORKER" in os.environ:  # workers that each take all cores only slow each other down
    os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import torch

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    """Pictures do not pile up: Matplotlib warns when more than twenty are open."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(scope="session")
def small_splits():
    """Base, validation and novel classes of noise around a picture each."""
    from dataclasses import replace

    from helpers import blobs

    from fslbook.data import Splits

    parts = [blobs(25, 20, noise=0.3, size=28, seed=seed) for seed in range(3)]
    named = (replace(part, names=tuple(f"{seed}/{name}" for name in part.names)) for seed, part in enumerate(parts))
    return Splits("blobs", *named)
