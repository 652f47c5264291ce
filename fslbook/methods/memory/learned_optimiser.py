"""The LSTM meta-learner: Ravi and Larochelle (2017), "Optimization as a Model for Few-Shot Learning".

Gradient descent, θ ← θ - α∇L, is the update of an LSTM's cell state, c ← f⊙c + i⊙c̃, with f = 1, i = α and c̃ = -∇L. So
the weights of a learner are taken for a cell state, and the gates f and i are learned.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.nn import functional as F

from fslbook.methods.optimisation.adaptation import AdaptingMethod
from fslbook.methods.optimisation.inner_loss import Loss, check_finite, check_support
from fslbook.methods.optimisation.weights import Weights
from fslbook.networks.gate_cell import GateCell
from fslbook.tasks.episode import Episode

SupportLoss = Callable[[Weights], Tensor]
"""From the weights of B tasks, [B, ...] each, to their losses on their support sets, [B]."""


class LearnedOptimiser(AdaptingMethod):
    """Train `network` on each support set by θ ← f⊙θ - i⊙∇L, with gates f and i that an LSTM gives for each weight.

    The LSTM and the weights at the start are trained together, by the loss on the queries after the last step. The
    gradients and losses of the learner count as constants there (section 3.3), which drops all second derivatives.

    Args:
        network: inputs [M, ...] to outputs [M, n_way]; in regression [M, 1]. Frozen parameters do not adapt.
        inner_steps: updates in training, at least 1.
        n_hidden: units of the LSTM, at least 1.
        start_lr: about where the input gates begin, above 0 and below 1.
        test_steps: updates in evaluation mode, at least 0; None takes `inner_steps`.
        loss: `loss(outputs, targets)`, a mean.

    Raises:
        TypeError: the network is no module, or the loss no function.
        ValueError: a number is out of range, the loss is a sum, or the network has no parameters to train.

    Example:
        >>> x, y = torch.eye(2)[None], torch.tensor([[0, 1]])
        >>> method = LearnedOptimiser(nn.Linear(2, 2), inner_steps=3)
        >>> method(Episode(x, y, x, None, n_way=2)).shape
        torch.Size([1, 2, 2])
    """

    def __init__(
        self,
        network: nn.Module,
        inner_steps: int = 5,
        n_hidden: int = 20,
        start_lr: float = 0.01,
        *,
        test_steps: int | None = None,
        loss: Loss = F.cross_entropy,
    ) -> None:
        super().__init__(network, inner_steps, test_steps, loss)
        self.cell = GateCell(n_hidden, start_lr).to(next(iter(self.initial_weights().values())))  # of its kind, there

    def adapt(
        self, support_x: Tensor, support_y: Tensor, steps: int | None = None, *, n_way: int | None = None
    ) -> Weights:
        """Weights of one task after the learned updates on its support set.

        Args:
            support_x: inputs [S, ...].
            support_y: labels int64 [S] in 0..n_way-1; in regression numbers [S, 1].
            steps: by default `inner_steps`, in evaluation mode `test_steps`; 0 gives the weights at the start.
            n_way: where given, the width that the network's outputs must have.

        Raises:
            FloatingPointError: the support loss is not finite any more; says at which step.
            ValueError: inputs, labels, outputs and `n_way` do not fit each other, or `steps` is no number of steps.
        """
        return self._adapt_one(support_x, support_y, steps, n_way)[0]

    def gates(self, support_x: Tensor, support_y: Tensor, steps: int | None = None) -> tuple[Tensor, Tensor]:
        """Forget gates and input gates [T, P] of one task: a row a step, a column a weight, without gradients.

        The columns are in the order of `network.named_parameters()`, each parameter flattened.

        Args:
            support_x: inputs [S, ...].
            support_y: labels int64 [S]; in regression numbers [S, 1].
            steps: T, at least 1; by default as in `adapt`.

        Raises:
            ValueError: there is no step to look at, or as in `adapt`.
        """
        with torch.no_grad():
            taken = self._adapt_one(support_x, support_y, steps, None)[1]
        if not taken:
            raise ValueError("steps must be at least 1 for gates to look at, got 0")
        return torch.cat([f for f, _ in taken]), torch.cat([i for _, i in taken])

    def loss(self, episode: Episode) -> Tensor:
        """Mean over tasks of the adapted weights' loss on the queries.

        Args:
            episode: B tasks with query labels.

        Raises:
            FloatingPointError: a support loss is not finite any more; says at which step.
        """
        pairs = zip(self(episode), episode.targets, strict=True)
        return torch.stack([self._loss(logits, targets) for logits, targets in pairs]).mean()

    def _adapt_one(
        self, support_x: Tensor, support_y: Tensor, steps: int | None, n_way: int | None
    ) -> tuple[Weights, list[tuple[Tensor, Tensor]]]:
        check_support(support_x, support_y, n_way)

        def support_losses(weights: Weights) -> Tensor:
            alone = {name: w[0] for name, w in weights.items()}
            return self._loss(self._outputs(alone, support_x, n_way), support_y)[None]  # [1]

        weights, gates = self._descend(support_losses, self._of_all_tasks(1), steps)
        return {name: w[0] for name, w in weights.items()}, gates

    def _adapt_to_all(self, episode: Episode) -> Weights:
        outputs = partial(self._outputs, n_way=episode.n_way)

        def support_losses(weights: Weights) -> Tensor:
            logits = vmap(outputs, randomness="different")(weights, episode.support_x)  # [B, S, N]
            return vmap(self._loss)(logits, episode.support_y)  # [B]

        return self._descend(support_losses, self._of_all_tasks(episode.batch_size), steps=None)[0]

    def _descend(
        self, support_losses: SupportLoss, start: Weights, steps: int | None
    ) -> tuple[Weights, list[tuple[Tensor, Tensor]]]:
        """The weights after the last step, [B, ...] each, and both gates of each step, [B, P] each."""
        shapes = {name: w.shape for name, w in start.items()}
        theta = torch.cat([w.flatten(1) for w in start.values()], dim=1)  # [B, P]
        state, losses, gates = self.cell.start(theta.flatten()), [], []
        for _ in range(self._number_of(steps)):
            gradient, loss = _constants(support_losses, _as_weights(theta, shapes))  # [B, P], [B]
            read = gradient.flatten(), loss[:, None].expand_as(theta).flatten(), theta.flatten()  # [B*P] each
            with torch.autocast(theta.device.type, enabled=False):
                forget, step, state = self.cell(*read, state)
            forget, step = forget.view_as(theta), step.view_as(theta)
            theta = forget * theta - step * gradient
            losses.append(loss)
            gates.append((forget, step))
        check_finite(losses)
        return _as_weights(theta, shapes), gates


def _constants(support_losses: SupportLoss, weights: Weights) -> tuple[Tensor, Tensor]:
    """Gradients [B, P] and losses [B], both without a graph: no derivative passes through them."""
    at = {name: w.detach().requires_grad_() for name, w in weights.items()}
    with torch.enable_grad():
        losses = support_losses(at)
        # Each task has weights of its own, so that the gradient of the sum over tasks is that of each task.
        gradients = torch.autograd.grad(losses.sum(), [*at.values()], materialize_grads=True)
    kind = next(iter(weights.values())).dtype
    return torch.cat([g.flatten(1) for g in gradients], dim=1), losses.detach().to(kind)


def _as_weights(theta: Tensor, shapes: dict[str, torch.Size]) -> Weights:
    """[B, P] cut into parameters [B, ...] by name."""
    parts = theta.split([shape[1:].numel() for shape in shapes.values()], dim=1)
    return {name: part.reshape(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)}
