"""What the methods share that answer a task by adapting a network's weights to its support set (chapters 7 and 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from fslbook.common.arguments import check_whole_number, readable
from fslbook.methods.base import FewShotMethod
from fslbook.networks.statistics import keeps_running_statistics
from fslbook.tasks.episode import Episode

Weights = dict[str, Tensor]
"""Parameters of a network by name, as `torch.func.functional_call` takes them."""

LARGE_BATCH = 16
"""From this many images on, a CPU convolves faster with the channels last in memory; below, the plain order wins."""


class AdaptingMethod(FewShotMethod):
    """Adapts `network` to the support set of each task, then asks the adapted network about the queries.

    All queries of a task pass through the network as one batch. A network that normalises by batch statistics
    therefore sees the other queries when it answers one (it is *transductive*); `OneQueryAtATime` asks them singly.

    Args:
        network: inputs [M, ...] to outputs [M, n_way]; in regression [M, 1] and n_way is 1.
        inner_steps: gradient steps on a support set in training mode, at least 1.
        test_steps: the same in evaluation mode, at least 0; None takes `inner_steps`.
        loss: `loss(outputs, targets)`, a mean over its inputs.

    Raises:
        ValueError: a number of steps is too small, or the network has no parameters to train.
    """

    adapts = True

    def __init__(
        self, network: nn.Module, inner_steps: int, test_steps: int | None, loss: Callable[[Tensor, Tensor], Tensor]
    ) -> None:
        super().__init__()
        check_whole_number("inner_steps", inner_steps, least=1)
        if test_steps is not None:
            check_whole_number("test_steps", test_steps, least=0)
        self.network, self.inner_steps, self.test_steps, self.loss_function = network, inner_steps, test_steps, loss
        self.initial_weights()

    def initial_weights(self) -> Weights:
        """The weights that adapt, before they have adapted: all parameters of the network that require gradients.

        Raises:
            ValueError: there are none.
        """
        named = self.network.named_parameters()
        weights: Weights = {name: p for name, p in named if p.requires_grad and self._adapts(name)}
        if not weights:
            raise ValueError(f"{type(self.network).__name__} has no trainable parameters that could adapt")
        return weights

    def adapt(
        self, support_x: Tensor, support_y: Tensor, steps: int | None = None, *, n_way: int | None = None
    ) -> Weights:
        """Adapted weights of one task, from its support_x [S, ...] and support_y [S] (regression: [S, 1]).

        Args:
            steps: by default as many as the mode of the method (training, evaluation) asks for.
            n_way: where given, the width that the network's outputs must have.
        """
        raise NotImplementedError

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N] of the queries, each task after adapting to its support; regression: [B, Q, 1]."""
        if self._chosen_form() == "vmap":
            return self._answer_all(self._adapt_to_all(episode), episode, singly=False)
        return torch.stack([self._answer(task, self._adapt_to(task)) for task in episode.tasks()])

    def one_at_a_time(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N] when each query is a batch of its own; each support set is adapted to once."""
        if self._chosen_form() == "vmap":
            return self._answer_all(self._adapt_to_all(episode), episode, singly=True)
        answers = []
        for task in episode.tasks():
            weights, queries = self._adapt_to(task), task.query_x[0]
            answers.append(self._answer_singly(self._in_fast_order(weights, queries), queries, task.n_way))
        return torch.stack(answers)

    def _adapts(self, name: str) -> bool:
        return True

    def _chosen_form(self) -> str:
        return "loop"

    def _steps_now(self) -> int:
        return self.inner_steps if self.training or self.test_steps is None else self.test_steps

    def _adapt_to(self, task: Episode) -> Weights:
        return self.adapt(task.support_x[0], task.support_y[0], n_way=task.n_way)

    def _adapt_to_all(self, episode: Episode) -> Weights:
        """For the form "vmap": the weights adapted to each task, [B, ...]."""
        raise NotImplementedError

    def _answer(self, task: Episode, weights: Weights) -> Tensor:
        queries = task.query_x[0]
        return self._outputs(self._in_fast_order(weights, queries), queries, task.n_way)  # [Q, N]

    def _answer_singly(self, weights: Weights, queries: Tensor, n_way: int) -> Tensor:
        batches = queries[:, None]  # Q batches of one: [Q, 1, ...]
        return vmap(lambda query: self._outputs(weights, query, n_way)[0], randomness="different")(batches)

    def _answer_all(self, weights: Weights, episode: Episode, *, singly: bool) -> Tensor:
        """Logits [B, Q, N] where the weights of all tasks are at hand, each [B, ...]."""
        answer = self._answer_singly if singly else self._outputs
        return vmap(partial(answer, n_way=episode.n_way), randomness="different")(weights, episode.query_x)

    def _of_all_tasks(self, batch_size: int) -> Weights:
        """The initial weights, once for each task: [B, ...]."""
        return {name: w.expand(batch_size, *w.shape) for name, w in self.initial_weights().items()}

    def _in_fast_order(self, weights: Weights, x: Tensor) -> Weights:
        large = x.ndim == 4 and len(x) >= LARGE_BATCH and x.device.type == "cpu"
        return channels_last(dict(self.network.named_parameters()) | weights) if large else weights

    def _outputs(self, weights: Weights, x: Tensor, n_way: int | None) -> Tensor:
        outputs = functional_call(self.network, weights, (x,))
        if n_way is not None and outputs.shape != (len(x), n_way):
            name, wanted = type(self.network).__name__, [len(x), n_way]
            raise ValueError(f"{name} must give outputs [M, n_way] = {wanted} for this episode, got {[*outputs.shape]}")
        return outputs

    def _loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        loss = self.loss_function(outputs, targets)
        if loss.ndim:
            raise ValueError(f"the loss must be one number, a mean over its inputs; got shape {[*loss.shape]}")
        return loss


def faster_form(network: nn.Module) -> str:
    """How to adapt to several tasks: "vmap", all at once, or "loop" where that is slower or misses statistics."""
    on_cpu = next(network.parameters()).device.type == "cpu"
    return "loop" if (on_cpu and _convolves(network)) or keeps_running_statistics(network) else "vmap"


def _convolves(network: nn.Module) -> bool:
    return any(isinstance(module, nn.modules.conv._ConvNd) for module in network.modules())


def channels_last(weights: Weights) -> Weights:
    """The same numbers in another order in memory; `to` also moves a one-channel kernel, `contiguous` would not."""
    return {name: w.to(memory_format=torch.channels_last) if w.ndim == 4 else w for name, w in weights.items()}


def check_finite(losses: list[Tensor]) -> None:
    """Refuse support losses, one a step (or one a step and task), that are not finite.

    Raises:
        FloatingPointError: says the first step at which one is not.
    """
    if not losses or not readable(losses[0]):
        return  # `fit` looks at the loss of each step
    finite = torch.stack(losses).isfinite().view(len(losses), -1).all(dim=1).tolist()  # read once: it stalls a GPU
    if not all(finite):
        step = 1 + finite.index(False)
        raise FloatingPointError(
            f"the support loss is not finite at inner step {step} of {len(losses)}: lower inner_lr"
        )


def mean_over_tasks(
    loss: Callable[[Episode], Tensor], tasks: Iterable[Episode], parameters: list[nn.Parameter]
) -> Tensor:
    """Mean of `loss(task)`, differentiated task by task, so that only one task's graph is in memory at a time.

    Returns:
        a scalar whose gradient with respect to `parameters` (and to nothing else) is that of the mean.
    """
    losses, total = [], [torch.zeros_like(p) for p in parameters]
    for task in tasks:
        value = loss(task)
        gradients = torch.autograd.grad(value, parameters, materialize_grads=True)
        for so_far, gradient in zip(total, gradients, strict=True):
            so_far += gradient
        losses.append(value.detach())
    return with_gradients(torch.stack(losses).mean(), parameters, [so_far / len(losses) for so_far in total])


def with_gradients(value: Tensor, parameters: list[nn.Parameter], gradients: list[Tensor]) -> Tensor:
    """`value`, as a scalar that has these gradients: nought in value, but linear in the parameters, is added to it."""
    linear = torch.stack([(p * g).sum() for p, g in zip(parameters, gradients, strict=True)]).sum()
    return value + (linear - linear.detach())
