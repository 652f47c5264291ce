"""Reptile: Nichol, Achiam and Schulman (2018), "On First-Order Meta-Learning Algorithms", as their code runs it.

The inner optimiser is Adam without momentum (β₁ = 0). From task to task the weights go back to
the initialisation, while Adam's second moments carry over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.nn import functional as F

from fslbook.common.arguments import check_positive, check_whole_number
from fslbook.methods.optimisation.adaptation import AdaptingMethod
from fslbook.methods.optimisation.inner_loss import Loss, check_finite, check_support
from fslbook.methods.optimisation.weights import Weights
from fslbook.tasks.episode import Episode

BETA2, EPSILON = 0.999, 1e-8


class Reptile(AdaptingMethod):
    """Move the initialisation θ towards the weights θ̃ that ordinary training on a task ends with (algorithm 2).

    In training, support and query images of an episode together are the task; draw more shots than in the test. The
    gradient of `loss` is the mean of θ - θ̃ over tasks: SGD with learning rate ε then makes the very step of the paper,
    θ ← θ + ε·mean(θ̃ - θ). The authors let ε fall linearly from 1 to 0.

    Args:
        network: inputs [M, ...] to outputs [M, n_way].
        inner_lr: learning rate of the inner Adam, above 0.
        inner_steps: minibatches a task in training, at least 1.
        test_steps: the same in evaluation mode, at least 0; None takes `inner_steps`.
        inner_batch: images in a minibatch in training, at least 1.
        test_batch: the same in evaluation mode.
        loss: `loss(outputs, targets)`, a mean.

    Raises:
        TypeError: the network is no module, or the loss no function.
        ValueError: a number is too small, the loss is a sum, or the network has no parameters to train.

    Example:
        >>> episode = Episode(torch.eye(2)[None], torch.tensor([[0, 1]]), torch.eye(2)[None], None, n_way=2)
        >>> Reptile(nn.Linear(2, 2), inner_lr=0.1).eval()(episode).argmax(dim=-1)
        tensor([[0, 1]])
    """

    def __init__(
        self,
        network: nn.Module,
        inner_lr: float = 1e-3,
        inner_steps: int = 5,
        test_steps: int | None = 50,
        inner_batch: int = 10,
        test_batch: int = 5,
        *,
        loss: Loss = F.cross_entropy,
    ) -> None:
        super().__init__(network, inner_steps, test_steps, loss)
        self.inner_lr = check_positive("inner_lr", inner_lr)
        self.inner_batch = check_whole_number("inner_batch", inner_batch, least=1)
        self.test_batch = check_whole_number("test_batch", test_batch, least=1)
        self.moments = nn.Module()  # buffers, so that a checkpoint holds them
        for index, weight in enumerate(self.initial_weights().values()):
            self.moments.register_buffer(str(index), torch.zeros_like(weight))
        self.moments.register_buffer("steps", torch.zeros((), dtype=torch.float64))

    def adapt(
        self, support_x: Tensor, support_y: Tensor, steps: int | None = None, *, n_way: int | None = None
    ) -> Weights:
        """Weights after Adam on minibatches of the support set; the moments stay as they were.

        The minibatches are drawn by a generator of their own, so that the same support gives the same weights.

        Args:
            support_x: inputs [S, ...].
            support_y: labels int64 [S] in 0..n_way-1; in regression numbers [S, 1].
            steps: by default `inner_steps`, in evaluation mode `test_steps`; 0 gives the initialisation.
            n_way: where given, the width that the network's outputs must have.

        Raises:
            FloatingPointError: the loss is not finite any more; says at which step.
            ValueError: inputs, labels, outputs and `n_way` do not fit each other, or `steps` is no number of steps.
        """
        check_support(support_x, support_y, n_way)
        rows = self._test_rows(len(support_x), self._number_of(steps))
        moments = [moment.clone() for moment in self.moments.buffers()]
        return self._descend(self._loss_on(support_x, support_y, n_way), self.initial_weights(), rows, moments)

    def _adapt_to_all(self, episode: Episode) -> Weights:
        outputs = partial(self._outputs, n_way=episode.n_way)

        def loss(weights: Weights, batch: Tensor) -> Tensor:
            logits = vmap(outputs, randomness="different")(weights, episode.support_x[:, batch])
            return vmap(self._loss)(logits, episode.support_y[:, batch]).sum()  # each task has weights of its own

        *second, taken = self.moments.buffers()
        moments = [*(v.repeat(episode.batch_size, *[1] * v.ndim) for v in second), taken.clone()]
        rows = self._test_rows(episode.support_x.shape[1], self._number_of(None))
        return self._descend(loss, self._of_all_tasks(episode.batch_size), rows, moments)

    def _test_rows(self, n_support: int, steps: int) -> Tensor:
        batch = self.inner_batch if self.training else self.test_batch
        return minibatches(n_support, batch, steps, torch.Generator().manual_seed(0))

    def loss(self, episode: Episode) -> Tensor:
        """½‖θ - θ̃‖², summed over the weights, averaged over tasks; its gradient is the mean of θ - θ̃.

        Args:
            episode: B tasks with query labels.

        Raises:
            FloatingPointError: the inner loss is not finite any more; says at which step.
        """
        start, distances = self.initial_weights(), []
        for task in episode.tasks():
            x, y = torch.cat([task.support_x, task.query_x], 1)[0], torch.cat([task.support_y, task.targets], 1)[0]
            rows = minibatches(len(x), self.inner_batch, self.inner_steps, device=x.device)
            loss = self._loss_on(x, y, episode.n_way)
            adapted = self._descend(loss, start, rows, [*self.moments.buffers()])
            distances.append(torch.stack([(start[n] - w).square().sum() for n, w in adapted.items()]).sum())
        return torch.stack(distances).mean() / 2

    def _loss_on(self, x: Tensor, y: Tensor, n_way: int | None) -> Callable[[Weights, Tensor], Tensor]:
        return lambda weights, batch: self._loss(self._outputs(weights, x[batch], n_way), y[batch])

    def _descend(
        self, loss_on: Callable[[Weights, Tensor], Tensor], weights: Weights, rows: Tensor, moments: list[Tensor]
    ) -> Weights:
        losses: list[Tensor] = []
        weights = {name: w.detach() for name, w in weights.items()}
        for batch in rows.to(moments[0].device):
            leaves = {name: w.requires_grad_() for name, w in weights.items()}
            with torch.enable_grad():
                loss = loss_on(leaves, batch)
            gradients = torch.autograd.grad(loss, [*leaves.values()])
            steps = adam_steps(gradients, moments, self.inner_lr)
            weights = {n: w.detach() - step for (n, w), step in zip(weights.items(), steps, strict=True)}
            losses.append(loss.detach())
        check_finite(losses)
        return weights


def adam_steps(gradients: tuple[Tensor, ...], moments: list[Tensor], lr: float) -> list[Tensor]:
    """What Adam with β₁ = 0 subtracts (Kingma and Ba 2015, algorithm 1); `moments` is brought up to date in place.

    Args:
        gradients: of any shapes.
        moments: the second moment of each gradient, then the number of steps taken.
        lr: learning rate, above 0.

    Returns:
        one tensor for each gradient, in its shape.

    Example:
        >>> moments = [torch.zeros(2), torch.zeros((), dtype=torch.float64)]
        >>> adam_steps((torch.tensor([4.0, -4.0]),), moments, lr=0.5)[0]  # the first step keeps only the sign
        tensor([ 0.5000, -0.5000])
    """
    *second, taken = moments
    taken += 1
    unbias = (1 - BETA2**taken).sqrt()
    for v, g in zip(second, gradients, strict=True):
        v.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
    return [lr * g / (v.sqrt() / unbias + EPSILON) for v, g in zip(second, gradients, strict=True)]


def minibatches(
    n: int,
    batch_size: int,
    number: int,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Rows 0..n-1 in `number` batches: shuffled passes, one after the other, without gaps.

    Args:
        n: number of rows, at least 1.
        batch_size: rows in a batch.
        number: of batches.
        generator: draws the order; by default torch's own.
        device: where the rows lie.

    Returns:
        int64 [number, batch_size].

    Example:
        >>> minibatches(n=4, batch_size=2, number=2).flatten().sort().values
        tensor([0, 1, 2, 3])
    """
    passes = math.ceil(number * batch_size / n)
    rows = [torch.randperm(n, generator=generator, device=device) for _ in range(passes)]
    none = torch.empty(0, dtype=torch.int64, device=device)
    return torch.cat([*rows, none])[: number * batch_size].view(number, batch_size)
