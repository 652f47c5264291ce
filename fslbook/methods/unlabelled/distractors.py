"""Soft k-means among distractors: unlabelled images that belong to no class of the task.

Ren et al. (2018), "Meta-Learning for Semi-Supervised Few-Shot Classification", sections 3.1.2 and 3.1.3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_positive, check_whole_number
from fslbook.methods.metric.prototypical import negative_squared_distances
from fslbook.methods.unlabelled.soft_k_means import SoftKMeans


class ClusterSoftKMeans(SoftKMeans):
    """Soft k-means with one more cluster, wide and at a fixed place, that takes up the distractors (Ren et al. 2018).

    Its logit is -scale·d² / radius² - log radius, d being the distance from its centre; the classes have radius 1. The
    radius is learned. In the paper the centre is the origin, and `scale` is 1/2.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        steps: refinements of the class prototypes, at least 0.
        scale: what minus the squared distance is multiplied by, above 0.
        radius: where the learned radius begins, above 0.
        centre: of the further cluster [D]; None is the origin.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is too small, or the centre is no finite vector.

    Example:
        >>> unlabelled, centres = torch.tensor([[[0.0], [5.1]]]), torch.tensor([[[5.0], [7.0]]])
        >>> method = ClusterSoftKMeans(nn.Identity(), radius=2.0)
        >>> method.shares(unlabelled, centres).sum(dim=-1).round().tolist()  # the first is nobody's
        [[0.0, 1.0]]
    """

    centre: Tensor | None

    def __init__(
        self,
        encoder: nn.Module,
        steps: int = 1,
        scale: float = 0.5,
        *,
        radius: float = 100.0,
        centre: Tensor | None = None,
    ) -> None:
        super().__init__(encoder, steps, scale)
        if centre is not None and (centre.ndim != 1 or not centre.isfinite().all()):
            raise ValueError(f"centre must be one feature vector [D] of finite numbers, got {[*centre.shape]}")
        self.log_radius = nn.Parameter(torch.tensor(float(check_positive("radius", radius))).log())
        self.register_buffer("centre", None if centre is None else centre.detach().clone())

    def shares(self, unlabelled: Tensor, centres: Tensor) -> Tensor:
        """How much of each unlabelled image belongs to each class, [B, U, N]; the rest is the further cluster's.

        Args:
            unlabelled: features [B, U, D].
            centres: prototypes [B, N, D].

        Raises:
            ValueError: the centre of the further cluster has another length than the features.
        """
        if self.centre is not None and len(self.centre) != unlabelled.shape[-1]:
            raise ValueError(f"centre has {len(self.centre)} numbers, the features have {unlabelled.shape[-1]}")
        of_classes = self.scale * negative_squared_distances(unlabelled, centres)  # [B, U, N]
        away = unlabelled if self.centre is None else unlabelled - self.centre
        of_others = -self.scale * away.square().sum(dim=-1) / (2 * self.log_radius).exp() - self.log_radius  # [B, U]
        return torch.cat([of_classes, of_others[..., None]], dim=-1).softmax(dim=-1)[..., :-1]


class MaskedSoftKMeans(SoftKMeans):
    """Soft k-means that leaves out what is too far from a prototype, how far being learned (Ren et al. 2018).

    Distances to a prototype are divided by their mean. Five numbers that describe them (least, largest, variance,
    skewness, excess kurtosis) go through a small network, which says from which distance on (`threshold`) and how
    abruptly (`slope`) an image is masked: its share is multiplied by sigmoid(-slope·(distance - threshold)). The
    network begins at threshold 1 and slope 5, whatever the five numbers are.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        steps: refinements, at least 0; the masks are found anew in each.
        scale: what minus the squared distance is multiplied by, above 0.
        hidden: width of the small network, at least 1.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is too small.

    Example:
        >>> method = MaskedSoftKMeans(nn.Identity())
        >>> unlabelled, centres = torch.tensor([[[0.1], [0.2], [9.0]]]), torch.tensor([[[0.0], [20.0]]])
        >>> method.shares(unlabelled, centres)[0, :, 0].round().tolist()  # the third is too far away
        [1.0, 1.0, 0.0]
    """

    def __init__(self, encoder: nn.Module, steps: int = 1, scale: float = 1.0, *, hidden: int = 20) -> None:
        super().__init__(encoder, steps, scale)
        hidden = check_whole_number("hidden", hidden, least=1)
        last = nn.Linear(hidden, 2)
        nn.init.zeros_(last.weight)
        last.bias.data = torch.tensor([1.0, 5.0])
        self.masks = nn.Sequential(nn.Linear(5, hidden), nn.Tanh(), last)

    def shares(self, unlabelled: Tensor, centres: Tensor) -> Tensor:
        """How much of each unlabelled image belongs to each class, [B, U, N], after masking.

        Args:
            unlabelled: features [B, U, D].
            centres: prototypes [B, N, D].
        """
        distances = -negative_squared_distances(unlabelled, centres)  # [B, U, N]
        relative = distances / distances.mean(dim=1, keepdim=True).clamp_min(1e-12)
        threshold, slope = self.masks(five_numbers(relative)).unbind(dim=-1)  # [B, N]
        mask = torch.sigmoid(-slope[:, None] * (relative - threshold[:, None]))  # [B, U, N]
        return super().shares(unlabelled, centres) * mask


def five_numbers(values: Tensor) -> Tensor:
    """Least, largest, variance, skewness and excess kurtosis over the second axis: [B, N, 5].

    Args:
        values: [B, U, N]; where all U are alike the last two numbers are 0 and -3.

    Example:
        >>> five_numbers(torch.tensor([[[0.0], [0.0], [3.0], [3.0]]]))
        tensor([[[ 0.0000,  3.0000,  2.2500,  0.0000, -2.0000]]])
    """
    away = values - values.mean(dim=1, keepdim=True)  # [B, U, N]
    variance = away.square().mean(dim=1)  # [B, N]
    spread = variance.clamp_min(1e-12)
    skewness = away.pow(3).mean(dim=1) / spread.pow(1.5)
    kurtosis = away.pow(4).mean(dim=1) / spread.square() - 3
    return torch.stack([values.amin(dim=1), values.amax(dim=1), variance, skewness, kurtosis], dim=-1)
