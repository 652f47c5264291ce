"""TIM and α-TIM: move the prototypes until the answers to all unlabelled images are sure and spread over the classes.

Boudiaf et al. (2020), "Transductive Information Maximization for Few-Shot Learning"; Veilleux et al. (2021), "Realistic
Evaluation of Transductive Few-Shot Learning".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_positive, check_whole_number
from fslbook.methods.base import EmbeddingMethod
from fslbook.methods.metric.prototypical import negative_squared_distances, prototypes
from fslbook.methods.unlabelled.parts import three_parts
from fslbook.tasks.episode import Episode


def tsallis_entropy(probabilities: Tensor, alpha: float = 1.0) -> Tensor:
    """(1 - Σ pᵅ) / (α - 1) of each row; for α = 1 its limit, Shannon's entropy -Σ p ln p in nats: [...].

    Args:
        probabilities: [..., N], rows that add up to 1.
        alpha: above 0.

    Raises:
        ValueError: alpha is not positive.

    Example:
        >>> p = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
        >>> tsallis_entropy(p), tsallis_entropy(p, alpha=2.0)
        (tensor([0.6931, 0.0000]), tensor([0.5000, 0.0000]))
    """
    if check_positive("alpha", alpha) == 1:
        return torch.special.entr(probabilities).sum(dim=-1)
    return (1 - probabilities.pow(alpha).sum(dim=-1)) / (alpha - 1)


class TIM(EmbeddingMethod):
    """Class weights that begin at the means of unit-length features and follow the gradient (Boudiaf et al. 2020).

    What they make small is, with p the softmax of the logits -(τ/2)·‖z - w‖²:

    support_weight · cross-entropy of the support - H(mean of p over the unlabelled images) + doubt · mean of H(p).

    The second term is largest if all classes are answered equally often: with Shannon's entropy that is close to an
    assumption, and it is wrong where a class is missing. `alpha=2` takes Tsallis's entropy for both, as α-TIM does,
    which insists less; the support keeps its ordinary cross-entropy here.

    Args:
        encoder: images [M, C, H, W] to features [M, D]; maps are flattened.
        alpha: of the entropy, above 0; 1 is Shannon's, and TIM.
        steps: gradient steps of Adam, at least 0; 0 is SimpleShot.
        lr: their size, above 0. The paper takes 1,000 steps of 0.0001, which is the same way in smaller steps.
        scale: τ, above 0.
        support_weight: of the first term, above 0.
        doubt: of the last term, above 0.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is too small.

    Example:
        >>> x, y = torch.eye(2)[None], torch.tensor([[0, 1]])
        >>> TIM(nn.Identity(), steps=5)(Episode(x, y, x, None, n_way=2, unlabelled_x=x)).argmax(dim=-1)
        tensor([[0, 1]])
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        alpha: float = 1.0,
        steps: int = 50,
        lr: float = 0.002,
        scale: float = 15.0,
        support_weight: float = 0.1,
        doubt: float = 0.1,
    ) -> None:
        super().__init__(encoder)
        self.alpha, self.steps = check_positive("alpha", alpha), check_whole_number("steps", steps, least=0)
        self.lr, self.scale = check_positive("lr", lr), check_positive("scale", scale)
        self.support_weight = check_positive("support_weight", support_weight)
        self.doubt = check_positive("doubt", doubt)

    def classify(self, embedded: Episode) -> Tensor:
        """Logits [B, Q, N] of the moved class weights; no gradient passes to the encoder.

        Args:
            embedded: an episode of features with unlabelled ones, [B, S, ...], [B, Q, ...] and [B, U, ...].
        """
        parts = three_parts(self, embedded)
        with torch.inference_mode(False), torch.enable_grad():
            support, query, unlabelled = (F.normalize(x.detach().clone(), dim=-1) for x in parts)
            w = self._moved(support, embedded.support_y.clone(), unlabelled, embedded.n_way)
            return self._logits(query, w).detach()

    def objective(self, w: Tensor, support: Tensor, labels: Tensor, unlabelled: Tensor) -> Tensor:
        """What is made small, for each task: [B].

        Args:
            w: class weights [B, N, D].
            support: features of length 1 [B, S, D].
            labels: int64 [B, S].
            unlabelled: features of length 1 [B, U, D].
        """
        known = F.cross_entropy(self._logits(support, w).mT, labels, reduction="none").mean(dim=1)  # [B]
        p = self._logits(unlabelled, w).softmax(dim=-1)  # [B, U, N]
        spread = tsallis_entropy(p.mean(dim=1), self.alpha)  # [B]
        return self.support_weight * known - spread + self.doubt * tsallis_entropy(p, self.alpha).mean(dim=1)

    def _moved(self, support: Tensor, labels: Tensor, unlabelled: Tensor, n_way: int) -> Tensor:
        w = prototypes(support, labels, n_way).detach().requires_grad_()  # [B, N, D]
        adam = torch.optim.Adam([w], lr=self.lr)
        for _ in range(self.steps):
            adam.zero_grad()
            self.objective(w, support, labels, unlabelled).sum().backward()  # no two tasks share a weight
            adam.step()
        return w

    def _logits(self, features: Tensor, w: Tensor) -> Tensor:
        return self.scale / 2 * negative_squared_distances(features, w)
