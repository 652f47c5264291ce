"""Tasks made up from clusters of images without labels: CACTUs (chapter 12).

Hsu, Levine and Finn (2019), "Unsupervised Learning via Meta-Learning", algorithm 1.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import torch
from torch import Generator, Tensor

from fslbook.common.arguments import check_whole_number
from fslbook.data.image_classes import ImageClasses, to_unit_range
from fslbook.tasks.episode import Episode, joined
from fslbook.tasks.sampler import EpisodeSampler


class ClusterTasks:
    """Draws N-way K-shot tasks whose classes are clusters of features; no label is used (Hsu et al. 2019).

    k-means makes a *partition* of all images. Further partitions differ, since each feature is multiplied by a random
    factor between 0 and 1 first. A task comes from one partition, chosen by chance. Clusters with fewer than
    k_shot + n_query images are left out.

    Args:
        classes: the images; which image is of which class is not used.
        features: of the same images in the same order, [M, D], for instance of an encoder trained without labels.
        n_clusters: clusters of a partition, at least n_way; the paper has 500.
        n_partitions: at least 1.
        n_way: clusters a task, at least 2.
        k_shot: support images a cluster, at least 1.
        n_query: query images a cluster, at least 1.
        seed: the same seed gives the same clusters and, on the same kind of device, the same tasks.

    Raises:
        ValueError: `classes` are no `ImageClasses`, the features are not finite or not of these images, a number is
            too small, or too few clusters are large enough.

    Example:
        >>> classes = ImageClasses(torch.rand(12, 1, 8, 8), torch.tensor([12]), ("unsorted",))
        >>> features = torch.tensor([0.0, 5.0, 9.0]).repeat(4)[:, None]  # images 0, 3, 6 and 9 lie together
        >>> ClusterTasks(classes, features, n_clusters=3, n_way=2, n_query=2).sample().query_x.shape
        torch.Size([1, 4, 1, 8, 8])
    """

    def __init__(
        self,
        classes: ImageClasses,
        features: Tensor,
        n_clusters: int = 500,
        n_partitions: int = 1,
        *,
        n_way: int = 5,
        k_shot: int = 1,
        n_query: int = 5,
        seed: int = 0,
    ) -> None:
        _check_features(classes, features)
        self.classes, self.seed = classes, check_whole_number("seed", seed, least=0)
        self.n_way = check_whole_number("n_way", n_way, least=2)
        self.n_clusters = check_whole_number("n_clusters", n_clusters, least=self.n_way)
        if self.n_clusters > len(features):
            said = f"{self.n_clusters} clusters need {self.n_clusters} images"
            raise ValueError(f"{said}, the data set has {len(features)}")
        self.sizes = (self.n_way, check_whole_number("k_shot", k_shot, 1), check_whole_number("n_query", n_query, 1))
        number = check_whole_number("n_partitions", n_partitions, least=1)
        self.generator = Generator(self.device).manual_seed(self.seed)
        x = features.detach().cpu().flatten(1)
        self.partitions = [self._of_partition(x, index) for index in range(number)]

    def __repr__(self) -> str:
        kinds = zlib.crc32(repr([(one.classes.fingerprint, one.classes.content) for one in self.partitions]).encode())
        n_way, k_shot, n_query = self.sizes
        return (
            f"{n_way}-way {k_shot}-shot, {n_query} queries a cluster, {len(self.partitions)} partitions of "
            f"{self.n_clusters} clusters ({kinds:08x}), seed {self.seed}"
        )

    @property
    def device(self) -> torch.device:
        """Where the images and the tasks lie."""
        return self.classes.images.device

    @property
    def identity(self) -> str:
        """Tells which tasks these are: settings, clusters, the content of the images, and the kind of device."""
        return f"{self!r}, content {self.classes.content}, on {self.device.type}"

    def sample(self, batch_size: int = 1) -> Episode:
        """Draw the next `batch_size` tasks, those of one partition next to each other.

        Args:
            batch_size: number of tasks B, at least 1.

        Returns:
            an `Episode` with support_x [B, N*K, C, H, W] and query_x [B, N*n_query, C, H, W].
        """
        size = (check_whole_number("batch_size", batch_size, least=1),)
        drawn = torch.randint(len(self.partitions), size, generator=self.generator, device=self.device)
        counts = drawn.bincount(minlength=len(self.partitions)).tolist()
        parts = [one.sample(count) for one, count in zip(self.partitions, counts, strict=True) if count]
        rows = joined(parts)  # [B, ..., 1], row numbers in the place of images
        support, query = (self._images(x) for x in (rows.support_x, rows.query_x))
        return replace(rows, support_x=support, query_x=query, check=False)

    def _images(self, rows: Tensor) -> Tensor:
        return to_unit_range(self.classes.images[rows[..., 0].long()])  # [B, S, C, H, W]

    def _of_partition(self, x: Tensor, index: int) -> EpisodeSampler:
        """Tasks of one partition, whose images are row numbers [M, 1], which takes little memory."""
        source = Generator().manual_seed(self.seed + 1000 * index)
        factors = torch.rand(x.shape[1], generator=source) if index else torch.ones(x.shape[1])
        rows = clusters(x * factors, self.n_clusters, self.sizes[1] + self.sizes[2], self.seed + index)
        if len(rows) < self.n_way:
            least = self.sizes[1] + self.sizes[2]
            said = f"{len(rows)} of {self.n_clusters} clusters hold {least} images"
            raise ValueError(f"{self.n_way}-way needs {self.n_way} clusters, but only {said}")
        groups = ImageClasses(
            torch.cat(rows).double()[:, None],  # [M, 1]
            torch.tensor([len(one) for one in rows]),
            tuple(f"cluster{n}" for n in range(len(rows))),
        )
        sampler = EpisodeSampler(groups.to(self.device), *self.sizes)
        sampler.generator = self.generator  # the one that checkpoints keep
        return sampler


def clusters(features: Tensor, n_clusters: int, least: int, seed: int) -> list[Tensor]:
    """Rows of each cluster of k-means with at least `least` images, one int64 tensor a cluster.

    Args:
        features: [M, D], on the CPU.
        n_clusters: how many k-means makes, at most M.
        least: smaller clusters are left out.
        seed: of k-means.

    Example:
        >>> [rows.tolist() for rows in clusters(torch.tensor([[0.0], [9.0], [0.1]]), 2, least=2, seed=0)]
        [[0, 2]]
    """
    from sklearn.cluster import KMeans  # takes a second, and few need it

    assigned = torch.from_numpy(KMeans(n_clusters, n_init=1, random_state=seed).fit_predict(features.numpy()))
    rows = [(assigned == n).nonzero()[:, 0] for n in range(n_clusters)]
    return [one for one in rows if len(one) >= least]


def _check_features(classes: ImageClasses, features: Tensor) -> None:
    if not isinstance(classes, ImageClasses):
        raise ValueError(f"classes must be ImageClasses, such as data.base, got {type(classes).__name__}")
    if not isinstance(features, Tensor) or features.ndim < 2 or len(features) != len(classes.images):
        given = [*features.shape] if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(f"features must be [{len(classes.images)}, D], one row an image, got {given}")
    if not features.isfinite().all():
        raise ValueError("features hold NaN or infinity")
