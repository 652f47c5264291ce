"""Sequences with labels that stay the same, where the class asked for may or may not be shown (Chan et al. 2022).

In a *bursty* sequence the context shows the class of the query several times, so that its label can be read off. In
the others the context says nothing about the query, and only a label known by heart helps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.data.image_classes import ImageClasses, to_unit_range
from fslbook.tasks.episode import Episode

BURST, CONTEXT = 3, 8
"""Images of the query's class, and as many of another one, in a bursty context of 8."""


class BurstySampler:
    """Draws contexts of 8 labelled images and one query; class number c has the label c in every sequence.

    A bursty context holds three images of the query's class, three of another and two of further classes; any other
    context holds eight classes, none of them the query's. All images are drawn with replacement.

    Args:
        classes: at least ten classes, of features or images.
        p_bursty: the share of bursty sequences, in 0..1.
        seed: the same seed gives the same sequences on the same kind of device.

    Raises:
        ValueError: `p_bursty` is not in 0..1, or there are fewer than ten classes.

    Example:
        >>> classes = ImageClasses(torch.rand(20, 4), torch.full((10,), 2), tuple("abcdefghij"))
        >>> batch = BurstySampler(classes, p_bursty=1.0).sample(6)
        >>> batch.support_x.shape, (batch.support_y == batch.query_y).sum(dim=1)
        (torch.Size([6, 8, 4]), tensor([3, 3, 3, 3, 3, 3]))
    """

    def __init__(self, classes: ImageClasses, p_bursty: float, *, seed: int = 0) -> None:
        if not isinstance(classes, ImageClasses) or len(classes) < CONTEXT + 2:
            given = f"{len(classes)} classes" if isinstance(classes, ImageClasses) else type(classes).__name__
            raise ValueError(f"classes must be ImageClasses with at least {CONTEXT + 2} classes, got {given}")
        if not isinstance(p_bursty, (int, float)) or isinstance(p_bursty, bool) or not 0 <= p_bursty <= 1:
            raise ValueError(f"p_bursty must lie in 0..1, got {p_bursty!r}")
        self.classes, self.p_bursty = classes, float(p_bursty)
        self.seed = check_whole_number("seed", seed, least=0)
        self.generator = torch.Generator(classes.images.device).manual_seed(self.seed)
        self._starts = classes.starts

    def __repr__(self) -> str:
        of = f"{len(self.classes)} classes ({self.classes.fingerprint})"
        return f"{self.p_bursty:g} of the sequences bursty, {of}, seed {self.seed}"

    @property
    def device(self) -> torch.device:
        """Where the images lie."""
        return self.classes.images.device

    @property
    def identity(self) -> str:
        """Tells which sequences these are: settings, the content of the images, and the kind of device."""
        return f"{self!r}, content {self.classes.content}, on {self.device.type}"

    def sample(self, batch_size: int = 1) -> Episode:
        """Draw sequences: support_x [B, 8, ...], query_x [B, 1, ...], labels in 0..number of classes - 1 = n_way - 1.

        Args:
            batch_size: number of sequences B, at least 1.
        """
        drawn = self.sample_labels(batch_size)  # [B, 9]
        counts = self.classes.counts[drawn]
        within = (self._uniform(*drawn.shape) * counts).long()  # which image of its class
        images = to_unit_range(self.classes.images[self._starts[drawn] + within])  # [B, 9, ...]
        n_way = len(self.classes)
        return Episode(images[:, :-1], drawn[:, :-1], images[:, -1:], drawn[:, -1:], n_way, check=False)

    def sample_labels(self, batch_size: int) -> Tensor:
        """Draw labels alone, [B, 9]: the context in random order, then the query.

        Args:
            batch_size: number of sequences B, at least 1.
        """
        batch_size = check_whole_number("batch_size", batch_size, least=1)
        others = self._uniform(batch_size, len(self.classes)).topk(CONTEXT + 1).indices  # [B, 9], all different
        query = others[:, :1]
        burst = [query] * BURST + [others[:, 1:2]] * BURST + [others[:, 2 : 2 + CONTEXT - 2 * BURST]]
        bursty = self._uniform(batch_size, 1) < self.p_bursty
        context = torch.where(bursty, torch.cat(burst, dim=1), others[:, 1:])  # [B, 8]
        order = self._uniform(batch_size, CONTEXT).argsort(dim=1)
        return torch.cat([context.gather(1, order), query], dim=1)

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, device=self.device)
