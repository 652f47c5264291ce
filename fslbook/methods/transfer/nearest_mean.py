"""Nearest mean on pretrained features: SimpleShot and Meta-Baseline.

Wang, Chao, Weinberger and van der Maaten (2019), "SimpleShot: Revisiting Nearest-Neighbor Classification for Few-Shot
Learning"; Chen, Liu, Xu, Darrell and Wang (2021), "Meta-Baseline: Exploring Simple Meta-Learning for Few-Shot
Learning".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_positive
from fslbook.methods.base import EmbeddingMethod
from fslbook.methods.metric.matching import cosines
from fslbook.methods.metric.prototypical import negative_squared_distances, prototypes
from fslbook.tasks.episode import Episode


class SimpleShot(EmbeddingMethod):
    """The nearest class mean of features that are brought to length 1 first (Wang et al. 2019, section 3).

    Support and query are treated alike: take away `centre`, divide by the length. The mean itself is not brought to
    length 1 again. In the paper's words L2N is `SimpleShot(encoder)`, CL2N `SimpleShot(encoder, centre)`, and UN, the
    features as they are, `PrototypicalNetwork(encoder)`.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        centre: mean feature [D] of the *base* images; None takes nothing away. A mean over the images of the task
            would be another, transductive method.

    Raises:
        TypeError: the encoder is no module.
        ValueError: the centre is no finite vector.

    Example:
        >>> x, y = torch.tensor([[[9.0, 0.0], [0.0, 2.0]]]), torch.tensor([[0, 1]])
        >>> SimpleShot(nn.Identity())(Episode(x, y, x, None, n_way=2))
        tensor([[[-0., -2.],
                 [-2., -0.]]])
    """

    centre: Tensor | None

    def __init__(self, encoder: nn.Module, centre: Tensor | None = None) -> None:
        super().__init__(encoder)
        if centre is not None and (centre.ndim != 1 or not centre.isfinite().all()):
            raise ValueError(f"centre must be one feature vector [D] of finite numbers, got {[*centre.shape]}")
        self.register_buffer("centre", None if centre is None else centre.detach().clone())

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] = minus the squared distances to the means of features of length 1.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        support, query = self._unit(embedded.support_x), self._unit(embedded.query_x)  # [B, S, D], [B, Q, D]
        return negative_squared_distances(query, prototypes(support, embedded.support_y, embedded.n_way))

    def _unit(self, features: Tensor) -> Tensor:
        features = features.flatten(2)  # [B, M, D]
        if self.centre is not None and self.centre.shape != features.shape[-1:]:
            raise ValueError(f"features of length {features.shape[-1]}, but a centre of length {len(self.centre)}")
        return F.normalize(features if self.centre is None else features - self.centre, dim=-1)


class MetaBaseline(EmbeddingMethod):
    """Cosines to the class means, times a learned scale (Chen et al. 2021, section 3.2).

    The second stage of the paper trains the encoder of a `BaseClassifier` further on episodes; the first stage alone is
    its "Classifier-Baseline". The mean is taken before any length is divided out.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        scale: where the learned factor begins, above 0.

    Raises:
        TypeError: the encoder is no module.
        ValueError: the scale is not positive.

    Example:
        >>> x, y = torch.tensor([[[9.0, 0.0], [0.0, 2.0]]]), torch.tensor([[0, 1]])
        >>> MetaBaseline(nn.Identity())(Episode(x, y, x, None, n_way=2)).tolist()
        [[[10.0, 0.0], [0.0, 10.0]]]
    """

    def __init__(self, encoder: nn.Module, scale: float = 10.0) -> None:
        super().__init__(encoder)
        self.scale = nn.Parameter(torch.tensor(float(check_positive("scale", scale))))

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] = scale · cosine(query, class mean).

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        support, query = embedded.support_x.flatten(2), embedded.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        return self.scale * cosines(query, prototypes(support, embedded.support_y, embedded.n_way))
