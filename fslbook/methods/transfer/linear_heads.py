"""Linear classifiers fitted to the features of one support set: in closed form, by scikit-learn, or by gradient steps.

Bertinetto et al. (2019), "Meta-learning with differentiable closed-form solvers" (ridge regression); Tian et al.
(2020), "Rethinking Few-Shot Image Classification" (logistic regression); Chen et al. (2019), "A Closer Look at Few-shot
Classification" (gradient steps).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, einsum, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_positive, check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.tasks.episode import Episode


class RidgeRegression(EmbeddingMethod):
    """Least squares from features to one-hot labels, with a penalty on the weights (Bertinetto et al. 2019).

    W = Xᵀ(XXᵀ + λI)⁻¹Y needs the inverse of an S × S matrix only, and S is small. It can be differentiated, so that an
    encoder can be trained through it.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        penalty: λ, above 0.

    Raises:
        TypeError: the encoder is no module.
        ValueError: the penalty is not positive.

    Example:
        >>> x, y = torch.eye(2)[None], torch.tensor([[0, 1]])
        >>> RidgeRegression(nn.Identity(), penalty=1.0)(Episode(x, y, x, None, n_way=2)).tolist()
        [[[0.5, 0.0], [0.0, 0.5]]]
    """

    def __init__(self, encoder: nn.Module, penalty: float = 1.0) -> None:
        super().__init__(encoder)
        self.penalty = check_positive("penalty", penalty)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] = the fitted labels of the queries.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        x, query = embedded.support_x.flatten(2), embedded.query_x.flatten(2)  # [B, S, D], [B, Q, D]
        y = F.one_hot(embedded.support_y, embedded.n_way).to(x.dtype)  # [B, S, N]
        kernel = x @ x.mT + self.penalty * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)  # [B, S, S]
        return query @ x.mT @ torch.linalg.solve(kernel, y)


class LogisticRegression(EmbeddingMethod):
    """Multinomial logistic regression of scikit-learn on the features of the support set (Tian et al. 2020).

    It is fitted anew for each task and is not differentiable: the encoder comes from elsewhere, such as a
    `BaseClassifier`. Mind its penalty: with features of length 1 the logits can be no larger than the weights, and the
    customary `c=1` keeps those small.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        c: inverse of the penalty on the weights, above 0.
        unit_length: divide each feature vector by its length first, as the paper does.

    Raises:
        TypeError: the encoder is no module.
        ValueError: `c` is not positive.

    Example:
        >>> x, y = torch.eye(3)[None], torch.tensor([[0, 1, 2]])
        >>> LogisticRegression(nn.Identity())(Episode(x, y, x, None, n_way=3)).argmax(dim=-1).tolist()
        [[0, 1, 2]]
    """

    def __init__(self, encoder: nn.Module, c: float = 1.0, *, unit_length: bool = True) -> None:
        super().__init__(encoder)
        self.c, self.unit_length = check_positive("c", c), unit_length

    @torch.no_grad()
    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] = log-probabilities; no gradient passes.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        parts = [x.flatten(2) for x in (embedded.support_x, embedded.query_x)]  # [B, S, D], [B, Q, D]
        support, query = [F.normalize(x, dim=-1) if self.unit_length else x for x in parts]
        tasks = zip(support.cpu().numpy(), embedded.support_y.cpu().numpy(), query.cpu().numpy(), strict=True)
        return torch.from_numpy(np.stack([self._fitted(*task) for task in tasks])).to(query)

    def _fitted(self, support: np.ndarray, labels: np.ndarray, query: np.ndarray) -> np.ndarray:
        from sklearn.linear_model import LogisticRegression as ScikitLearn  # takes a second, and few need it

        model = ScikitLearn(C=self.c, max_iter=1000, tol=1e-6).fit(support, labels)
        return model.predict_log_proba(query)  # [Q, N]; the classes come in order


class TrainedHead(EmbeddingMethod):
    """A last layer trained on the support features by gradient descent: the test of Baseline and Baseline++.

    All tasks of a batch are trained at once, each on its own weights. The encoder stays as it is.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        cosine: bring features and weights to length 1, and multiply by `scale` (Baseline++); else a linear layer.
        steps: gradient steps on the whole support set, at least 0.
        lr: their size, above 0; for a linear layer on features of length 10 or so, 0.01 is customary.
        scale: factor on the cosines, above 0.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is too small.

    Example:
        >>> x, y = torch.eye(2)[None], torch.tensor([[0, 1]])
        >>> TrainedHead(nn.Identity(), lr=1.0)(Episode(x, y, x, None, n_way=2)).argmax(dim=-1).tolist()
        [[0, 1]]
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        cosine: bool = False,
        steps: int = 100,
        lr: float = 0.1,
        scale: float = 10.0,
    ) -> None:
        super().__init__(encoder)
        self.steps = check_whole_number("steps", steps, least=0)
        self.cosine, self.lr, self.scale = cosine, check_positive("lr", lr), check_positive("scale", scale)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] of the trained last layers; no gradient passes to the encoder.

        Args:
            embedded: an episode of features [B, S, ...] and [B, Q, ...].
        """
        with torch.inference_mode(False), torch.enable_grad():
            parts = (embedded.support_x, embedded.query_x)
            support, query = (x.detach().flatten(2).clone() for x in parts)  # [B, S, D], [B, Q, D]
            return self._logits(query, *self._trained(support, embedded.support_y.clone(), embedded.n_way)).detach()

    def _trained(self, support: Tensor, labels: Tensor, n_way: int) -> tuple[Tensor, Tensor]:
        start = 1.0 if self.cosine else 0.0  # a cosine needs a direction
        w = support.new_full((len(support), n_way, support.shape[2]), start).requires_grad_()  # [B, N, D]
        b = support.new_zeros((len(support), n_way)).requires_grad_()  # [B, N]
        optimizer = torch.optim.SGD([w, b], lr=self.lr, momentum=0.9)
        for _ in range(self.steps):
            logits = self._logits(support, w, b)  # [B, S, N]
            of_images = F.cross_entropy(logits.mT, labels, reduction="none")  # [B, S]
            optimizer.zero_grad()
            of_images.mean(dim=1).sum().backward()  # a sum, for no two tasks share a weight
            optimizer.step()
        return w, b

    def _logits(self, features: Tensor, w: Tensor, b: Tensor) -> Tensor:
        if self.cosine:
            return self.scale * einsum("bmd,bnd->bmn", F.normalize(features, dim=-1), F.normalize(w, dim=-1))
        return einsum("bmd,bnd->bmn", features, w) + b[:, None]
