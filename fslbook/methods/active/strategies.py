"""Which images to label next: by chance, by doubt, by coverage, by typicality (chapter 14).

Sener and Savarese (2018), "Active Learning for Convolutional Neural Networks: A Core-Set Approach"; Hacohen, Dekel and
Weinshall (2022), "Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets".
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from fslbook.methods.active.pool import Pool
from fslbook.methods.active.scores import entropy, least_confidence, smallest_margin, typicality

Strategy = Callable[[Pool, int, Generator], Tensor]
"""A pool, how many labels may be asked for, and a source of randomness, to the indices [n] of the images to label."""


def k_centre(pool: Pool, n: int, generator: Generator) -> Tensor:
    """Again and again the image that lies farthest from all labelled ones (Sener and Savarese 2018, algorithm 1).

    Args:
        pool: its first image is chosen by chance where nothing is labelled yet.
        n: how many.
        generator: source of randomness.

    Example:
        >>> none = torch.empty(0, dtype=torch.int64)
        >>> pool = Pool(torch.tensor([[0.0], [1.0], [9.0]]), torch.tensor([0]), torch.tensor([0]), n_way=2)
        >>> k_centre(pool, 2, Generator()).tolist()
        [2, 1]
    """
    pool.check_budget(n)
    distance = torch.full((len(pool.features),), torch.inf, device=pool.features.device)
    if len(pool.labelled):
        distance = torch.cdist(pool.features, pool.features[pool.labelled]).amin(dim=1)
    chosen = []
    for _ in range(n):
        first = torch.randint(len(distance), (1,), generator=generator).item() if distance.isinf().all() else None
        chosen.append(int(distance.argmax()) if first is None else int(first))
        to_new = (pool.features - pool.features[chosen[-1]]).norm(dim=1)
        distance = distance.minimum(to_new)
        distance[chosen[-1]] = -1
    return torch.tensor(chosen, device=pool.labelled.device)


def typical(pool: Pool, n: int, generator: Generator) -> Tensor:
    """The most typical image of each of the largest clusters that have no label yet (TypiClust, Hacohen et al. 2022).

    Args:
        pool: clustered into L + n clusters by k-means of scikit-learn.
        n: how many.
        generator: source of randomness for k-means.

    Example:
        >>> none = torch.empty(0, dtype=torch.int64)
        >>> x = torch.tensor([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]])
        >>> [index // 3 for index in sorted(typical(Pool(x, none, none, n_way=2), 2, Generator()).tolist())]
        [0, 1]
    """
    from sklearn.cluster import KMeans

    pool.check_budget(n)
    seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
    k = min(len(pool.labelled) + n, len(pool.features))
    clusters = torch.from_numpy(KMeans(k, n_init=1, random_state=seed).fit_predict(pool.features.cpu().numpy())).long()
    taken = clusters[pool.labelled.cpu()].bincount(minlength=k)  # labels in each cluster
    free = torch.ones(len(clusters), dtype=torch.bool)
    free[pool.labelled.cpu()] = False
    chosen: list[int] = []
    while len(chosen) < n:
        size = clusters[free].bincount(minlength=k)  # a cluster with few labels first, then the largest
        order = (taken * (len(clusters) + 1) - size).masked_fill(size == 0, torch.iinfo(torch.int64).max)
        rows = ((clusters == order.argmin()) & free).nonzero()[:, 0]
        best = rows[_typicality_within(pool.features[rows.to(pool.features.device)]).argmax()]
        chosen.append(int(best))
        free[best] = False
        taken[order.argmin()] += 1
    return torch.tensor(chosen, device=pool.labelled.device)


def _typicality_within(features: Tensor) -> Tensor:
    return typicality(features, max(1, min(20, len(features) // 2))).cpu() if len(features) > 1 else torch.zeros(1)


def by_chance(pool: Pool, n: int, generator: Generator) -> Tensor:
    """Any images, each as likely as the others: the control.

    Args:
        pool: of images.
        n: how many.
        generator: source of randomness.

    Example:
        >>> pool = Pool(torch.rand(3, 2), torch.tensor([0]), torch.tensor([0]), n_way=2)
        >>> sorted(by_chance(pool, 2, Generator()).tolist())
        [1, 2]
    """
    pool.check_budget(n)
    return pool.unlabelled[torch.randperm(len(pool.unlabelled), generator=generator)[:n].to(pool.labelled.device)]


def most_doubtful(score: Callable[[Tensor], Tensor]) -> Strategy:
    """A strategy: the images with the highest score of doubt; by chance where nothing is labelled yet.

    Args:
        score: probabilities [M, N] to scores [M], such as `smallest_margin`.

    Example:
        >>> pool = Pool(torch.tensor([[0.0], [2.1], [4.0]]), torch.tensor([0, 2]), torch.tensor([0, 1]), n_way=2)
        >>> most_doubtful(least_confidence)(pool, 1, Generator()).tolist()
        [1]
    """

    def choose(pool: Pool, n: int, generator: Generator) -> Tensor:
        pool.check_budget(n)
        if not len(pool.labelled):
            return by_chance(pool, n, generator)
        doubts = score(pool.logits(pool.features[pool.unlabelled]).softmax(dim=1))
        return pool.unlabelled[doubts.topk(n).indices]

    return choose


STRATEGIES: dict[str, Strategy] = {
    "random": by_chance,
    "least confidence": most_doubtful(least_confidence),
    "entropy": most_doubtful(entropy),
    "margin": most_doubtful(smallest_margin),
    "k-centre": k_centre,
    "typicality": typical,
}
"""By name, as chapter 14 compares them."""


def balanced(labels: Tensor) -> Strategy:
    """The oracle of the comparison, which knows all labels: any image of a class that has the fewest labels so far.

    Args:
        labels: int64 [M], the true label of each image of the pool.

    Example:
        >>> pool = Pool(torch.rand(4, 2), torch.tensor([0]), torch.tensor([0]), n_way=2)
        >>> balanced(torch.tensor([0, 0, 0, 1]))(pool, 1, Generator()).tolist()
        [3]
    """

    def choose(pool: Pool, n: int, generator: Generator) -> Tensor:
        pool.check_budget(n)
        order = by_chance(pool, len(pool.unlabelled), generator)  # [M - L]
        counts, chosen = pool.labels.bincount(minlength=pool.n_way), list[int]()
        for _ in range(n):
            free = order[~torch.isin(order, torch.tensor(chosen, device=order.device))]
            chosen.append(int(free[counts[labels[free]].argmin()]))
            counts[labels[chosen[-1]]] += 1
        return torch.tensor(chosen, device=order.device)

    return choose
