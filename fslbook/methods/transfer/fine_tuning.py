"""Fine-tuning: a copy of the whole encoder is trained on the support set of each task.

Dhillon, Chaudhari, Ravichandran and Soatto (2020), "A Baseline for Few-Shot Image Classification", without the part
that looks at the queries.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslbook.common.arguments import check_module, check_positive, check_whole_number
from fslbook.methods.base import FewShotMethod, check_episode
from fslbook.methods.metric.prototypical import prototypes
from fslbook.tasks.episode import Episode


class FineTuning(FewShotMethod):
    """Start a last layer at the class means, then train it and the encoder on the support set.

    With weights 2c and bias -‖c‖² for the mean c of a class, the last layer begins as a Prototypical Network (Snell et
    al. 2017, section 2.4), so that zero steps are the nearest mean. The encoder's batch norms keep their running
    statistics: five images would give useless ones.

    Args:
        encoder: images [M, C, H, W] to features [M, D]. It is copied for each task and stays as it is.
        steps: steps of Adam on the whole support set, at least 0.
        lr: their size, above 0.

    Raises:
        TypeError: the encoder is no module.
        ValueError: a number is too small.

    Example:
        >>> x, y = torch.tensor([[[0.0], [1.0]]]), torch.tensor([[0, 1]])
        >>> FineTuning(nn.Linear(1, 4), steps=3)(Episode(x, y, x, None, n_way=2)).argmax(dim=-1)
        tensor([[0, 1]])
    """

    adapts = True

    def __init__(self, encoder: nn.Module, steps: int = 20, lr: float = 1e-3) -> None:
        super().__init__()
        check_module("encoder", encoder)
        self.encoder = encoder
        self.steps, self.lr = check_whole_number("steps", steps, least=0), check_positive("lr", lr)

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N], each task after its own fine-tuning; no gradient passes to the encoder.

        Args:
            episode: B tasks of images.
        """
        check_episode(self, episode)
        with torch.inference_mode(False), torch.enable_grad():
            return torch.stack([self._answers(task) for task in episode.tasks()])

    def _answers(self, task: Episode) -> Tensor:
        """Logits [Q, N] of one task."""
        encoder = copy.deepcopy(self.encoder).eval().requires_grad_()
        support, labels = task.support_x[0].clone(), task.support_y[0].clone()  # not of inference mode
        with torch.no_grad():
            c = prototypes(encoder(support).flatten(1)[None], labels[None], task.n_way)[0]  # [N, D]
        w, b = (2 * c).requires_grad_(), (-c.square().sum(dim=1)).requires_grad_()  # [N, D], [N]
        optimizer = torch.optim.Adam([*encoder.parameters(), w, b], lr=self.lr)
        for _ in range(self.steps):
            loss = F.cross_entropy(F.linear(encoder(support).flatten(1), w, b), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            return F.linear(encoder(task.query_x[0]).flatten(1), w, b)
