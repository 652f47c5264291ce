"""Tasks made up from images without labels (chapter 12)."""

from __future__ import annotations

import torch

from fslbook.common.arguments import check_whole_number
from fslbook.data.image_classes import ImageClasses, to_unit_range
from fslbook.tasks.episode import Episode
from fslbook.tasks.images import Augmentation, _Drawing


class MadeUpTasks(_Drawing):
    """Draws N images and calls each a class: it is the support, and changed copies of it are the queries.

    The tasks of UMTRA (Khodadadeh, Bölöni and Shah 2019, algorithm 1) and, with many images and a prototypical network,
    of ProtoCLR (Medina, Devos and Grossglauser 2020, algorithm 1). Which image is of which class is not used, so two
    "classes" of a task may show the same character. As in both papers the support itself is not changed.

    Args:
        classes: what to draw from; each image is as likely as the others.
        augment: changes each query by chance, such as `random_affine`.
        n_way: images a task, at least 2, each a class of its own.
        n_query: changed copies of each image, at least 1.
        seed: the same seed gives the same tasks on the same kind of device.

    Raises:
        ValueError: `classes` are no `ImageClasses`, `augment` is no function, or there are too few images.

    Example:
        >>> from fslbook.tasks.augmentation import random_affine
        >>> classes = ImageClasses(torch.rand(6, 1, 8, 8), torch.tensor([3, 3]), ("a", "b"))
        >>> task = MadeUpTasks(classes, random_affine, n_way=5, n_query=3).sample()
        >>> task.support_x.shape, task.query_x.shape
        (torch.Size([1, 5, 1, 8, 8]), torch.Size([1, 15, 1, 8, 8]))
    """

    def __init__(
        self, classes: ImageClasses, augment: Augmentation, n_way: int = 50, n_query: int = 3, *, seed: int = 0
    ) -> None:
        super().__init__(classes, augment, seed)
        if augment is None:
            raise ValueError("augment must be a function: without it each query would be its support")
        self.n_way = check_whole_number("n_way", n_way, least=2)
        self.n_query = check_whole_number("n_query", n_query, least=1)
        if self.n_way > len(classes.images):
            raise ValueError(f"{self.n_way}-way needs {self.n_way} images, the data set has {len(classes.images)}")

    def __repr__(self) -> str:
        return f"{super().__repr__()}, {self.n_way}-way, {self.n_query} queries a class"

    def sample(self, batch_size: int = 1) -> Episode:
        """Draw the next `batch_size` tasks, n_way-way 1-shot.

        Args:
            batch_size: number of tasks B, at least 1.

        Returns:
            an `Episode` with support_x [B, N, C, H, W] and query_x [B, N*n_query, C, H, W].
        """
        batch_size = check_whole_number("batch_size", batch_size, least=1)
        size = (batch_size, len(self.classes.images))
        rows = torch.rand(size, generator=self.generator, device=self.device).topk(self.n_way).indices  # [B, N]
        support = to_unit_range(self.classes.images[rows])  # [B, N, C, H, W]
        copies = support.repeat_interleave(self.n_query, dim=1)  # [B, N*n_query, C, H, W]
        query = self._changed(copies.flatten(0, 1)).view_as(copies)
        support_y = torch.arange(self.n_way, device=self.device).expand(batch_size, -1)  # [B, N]
        query_y = support_y.repeat_interleave(self.n_query, dim=1)  # [B, N*n_query]
        return Episode(support, support_y, query, query_y, self.n_way, check=False)
