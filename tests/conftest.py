"""Settings for every test: one thread a worker, and pictures that need no screen."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
if "PYTEST_XDIST_WORKER" in os.environ:  # workers that each take all cores only slow each other down
    os.environ["OMP_NUM_THREADS"] = "1"

import torch

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)
