"""What the tests share: small synthetic classes, the devices at hand, one tolerance and the settings of hypothesis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from hypothesis import settings
from torch import Tensor, nn

from fslbook import Episode, EpisodeSampler, ImageClasses, PrototypicalNetwork
from fslbook.data import Splits
from fslbook.paper import runs
from fslbook.paper.places import RUN
from fslbook.paper.recipes import RECIPES, Recipe, quick
from fslbook.training.distributed import Team

PROPERTIES = settings(max_examples=40, deadline=None, derandomize=True, database=None)
"""The same examples at every run, and no time limit on a busy machine."""


def devices() -> list[str]:
    """The devices that the device-dependent tests run on."""
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def assert_close(actual: Tensor | np.ndarray, expected: Tensor | np.ndarray) -> None:
    """Equal up to rounding: the one tolerance of the suite, by the precision of `actual`."""
    actual = torch.as_tensor(actual).detach().cpu()
    expected = torch.as_tensor(expected).detach().cpu()
    tolerance = 1e-10 if actual.dtype == torch.float64 else 2e-5
    scale = max(1.0, float(expected.abs().max()) if expected.numel() else 1.0)
    torch.testing.assert_close(actual.double(), expected.double(), rtol=tolerance, atol=tolerance * scale)


def class_names(number: int) -> tuple[str, ...]:
    """Names with groups of three classes: group0/class0, ..., group1/class3, ..."""
    return tuple(f"group{i // 3}/class{i}" for i in range(number))


def numbered_classes(counts: Sequence[int], device: str = "cpu") -> ImageClasses:
    """Byte images 1×1×2 that spell their own row number: high byte, low byte, white being 0 (`rows_of` reads it)."""
    rows = torch.arange(sum(counts))
    pixels = 255 - torch.stack([rows // 256, rows % 256], dim=1).to(torch.uint8)  # [M, 2]
    return ImageClasses(pixels[:, None, None].to(device), torch.tensor(counts).to(device), class_names(len(counts)))


def rows_of(images: Tensor) -> Tensor:
    """Row numbers of the images [..., 1, 1, 2] of an episode over `numbered_classes`."""
    high, low = (255 - 255 * images.double()).round().long().flatten(-3).unbind(-1)
    return 256 * high + low


def pictures(count: int, size: int = 3, seed: int = 0) -> Tensor:
    """Grey noise in bytes, [count, 1, size, size]."""
    shape, generator = (count, 1, size, size), torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def blobs(n_classes: int = 8, per_class: int = 12, size: int = 8, noise: float = 0.1, seed: int = 0) -> ImageClasses:
    """Grey byte images [.., 1, size, size]: one random pattern a class, plus Gaussian noise."""
    generator = torch.Generator().manual_seed(seed)
    patterns = torch.rand(n_classes, 1, 1, size, size, generator=generator)
    noisy = patterns + noise * torch.randn(n_classes, per_class, 1, size, size, generator=generator)
    pixels = (255 * noisy.clamp(0, 1)).round().to(torch.uint8)
    return ImageClasses(pixels.flatten(0, 1), torch.full((n_classes,), per_class), class_names(n_classes))


def feature_episode(
    support_counts: Sequence[int] = (2, 3, 1), n_query: int = 4, batch: int = 2, features: int = 5, seed: int = 0
) -> Episode:
    """Random float64 features in place of images; class i has `support_counts[i]` support vectors, in mixed order."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(support_counts)).repeat_interleave(torch.tensor(support_counts))
    support_y = torch.stack([labels[torch.randperm(len(labels), generator=generator)] for _ in range(batch)])
    query_y = torch.randint(len(support_counts), (batch, n_query), generator=generator)
    support_x = torch.randn(batch, len(labels), features, generator=generator, dtype=torch.float64)
    query_x = torch.randn(batch, n_query, features, generator=generator, dtype=torch.float64)
    return Episode(support_x, support_y, query_x, query_y, len(support_counts))


def image_episode(
    support_counts: Sequence[int] = (2, 3, 1),
    n_query: int = 20,
    batch: int = 2,
    size: int = 8,
    dtype: torch.dtype = torch.float64,
) -> Episode:
    """Random grey images [.., 1, size, size]."""
    flat = feature_episode(support_counts, n_query, batch, features=size * size)
    images = (x.sigmoid().to(dtype).unflatten(2, (1, size, size)) for x in (flat.support_x, flat.query_x))
    support_x, query_x = images
    return Episode(support_x, flat.support_y, query_x, flat.query_y, flat.n_way)


def regression_episode(batch: int = 3, n_support: int = 6, n_query: int = 8, features: int = 4) -> Episode:
    """Random float64 points x [B, .., features] with numbers y [B, .., 1] as targets."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(batch, n, size) for n in (n_support, n_query) for size in (features, 1)]
    points = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    return Episode(*points, n_way=1, check=False)


class Float64Linear(nn.Module):
    """A random linear encoder that computes in float64, so that no two orders of summation change a prediction."""

    def __init__(self, in_features: int = 64, out_features: int = 6, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        weight = torch.randn(in_features, out_features, generator=generator, dtype=torch.float64)
        self.weight = nn.Parameter(weight)
        self.images_seen = 0

    def forward(self, images: Tensor) -> Tensor:
        self.images_seen += len(images)
        return images.flatten(1).double() @ self.weight


def linear_prototypes(device: str = "cpu") -> PrototypicalNetwork:
    """Prototypes behind a random linear encoder of 8×8 images in float64."""
    return PrototypicalNetwork(Float64Linear()).to(device)


def small_method(*extra: nn.Module, seed: int = 0) -> PrototypicalNetwork:
    """Prototypes behind a tiny encoder of 8×8 images, with any layers in the middle; the weights depend on the seed."""
    torch.manual_seed(seed)
    return PrototypicalNetwork(nn.Sequential(nn.Flatten(1), nn.Linear(64, 16), *extra, nn.ReLU(), nn.Linear(16, 8)))


def easy_sampler(device: str = "cpu", seed: int = 0) -> EpisodeSampler:
    """5-way 1-shot episodes over patterns that a tiny encoder can learn to tell apart."""
    return EpisodeSampler(blobs(10, 8, noise=0.5).to(device), n_way=5, k_shot=1, n_query=3, seed=seed)


SMALL = replace(
    quick(RECIPES["prototypical-omniglot-5w1s"]), train_way=5, steps=6, test_episodes=10, validate_every=3, channels=4
)
"""A recipe of a second."""


def train_small(splits: Splits, folder: Path, recipe: Recipe = SMALL, seed: int = 0) -> dict:
    """Train it, and what it left in run.json."""
    assert runs.train(recipe, splits, seed, folder, Team(), progress=False)
    return json.loads((folder / RUN).read_text())
