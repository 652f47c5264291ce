"""What the methods share that answer a task by adapting a network's weights to its support set (chapters 8 and 9)."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.func import vmap

from fslbook.common.arguments import check_module, check_whole_number
from fslbook.methods.base import FewShotMethod, check_episode
from fslbook.methods.optimisation.asking import Batches, alone, ask_each, beside_support, copied
from fslbook.methods.optimisation.inner_loss import Loss, check_mean, inner_loss
from fslbook.methods.optimisation.vectorised import faster_form, vmap_trouble
from fslbook.methods.optimisation.weights import Weights, called, in_fast_order, undisturbed
from fslbook.tasks.episode import Episode


class AdaptingMethod(FewShotMethod):
    """Adapts `network` to the support set of each task, then asks the adapted network about the queries.

    All queries of a task pass through the network as one batch. A network that normalises by batch statistics
    therefore sees the other queries when it answers one (it is *transductive*); `QueryWithSupport` and
    `OneQueryAtATime` ask without them.

    Args:
        network: inputs [M, ...] to outputs [M, n_way]; in regression [M, 1] and n_way is 1.
        inner_steps: gradient steps on a support set in training mode, at least 1.
        test_steps: the same in evaluation mode, at least 0; None takes `inner_steps`.
        loss: `loss(outputs, targets)`, a mean over its inputs.

    Raises:
        TypeError: the network is no module, or the loss no function.
        ValueError: a number of steps is too small, the loss is a sum, or the network has no parameters to train.

    Example:
        >>> method = AdaptingMethod(nn.Linear(4, 2), inner_steps=1, test_steps=3, loss=nn.functional.cross_entropy)
        >>> [*method.initial_weights()], method.adapts
        (['weight', 'bias'], True)
    """

    adapts = True
    form: str | None = None
    """"loop" or "vmap"; None takes the faster one that serves the network."""

    def __init__(self, network: nn.Module, inner_steps: int, test_steps: int | None, loss: Loss) -> None:
        super().__init__()
        check_module("network", network)
        check_mean(loss)
        self.network, self.loss_function = network, loss
        self.inner_steps = check_whole_number("inner_steps", inner_steps, least=1)
        self.test_steps = None if test_steps is None else check_whole_number("test_steps", test_steps, least=0)
        self._tried: dict[object, str | None] = {}
        self.initial_weights()

    def initial_weights(self) -> Weights:
        """The weights that adapt, before they have adapted: all parameters of the network that require gradients.

        Raises:
            ValueError: there are none.
        """
        with undisturbed(self.network):
            trainable = {name: p for name, p in self.network.named_parameters() if p.requires_grad}
        weights: Weights = {name: p for name, p in trainable.items() if self._may_adapt(name)}
        if not weights:
            raise ValueError(
                f"{type(self.network).__name__} has no trainable parameters that could adapt"
                + f"; choose `adapted` from {[*trainable]}" * bool(trainable)
            )
        return weights

    def adapt(
        self, support_x: Tensor, support_y: Tensor, steps: int | None = None, *, n_way: int | None = None
    ) -> Weights:
        """Adapted weights of one task.

        Args:
            support_x: inputs [S, ...].
            support_y: labels int64 [S] in 0..n_way-1; in regression numbers [S, 1].
            steps: by default as many as the mode of the method (training, evaluation) asks for.
            n_way: where given, the width that the network's outputs must have.
        """
        raise NotImplementedError

    def forward(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N] of the queries, each task after adapting to its support; regression: [B, Q, 1].

        Args:
            episode: B tasks; all queries of a task are one batch.
        """
        return self._answers(episode, None)

    def one_at_a_time(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N] when each query is a batch of its own; each support set is adapted to once.

        Args:
            episode: B tasks of Q queries each.
        """
        return self._answers(episode, alone)

    def with_support(self, episode: Episode) -> Tensor:
        """Logits [B, Q, N] when each query is in one batch with the support images; each is adapted to once.

        Args:
            episode: B tasks of Q queries each.
        """
        return self._answers(episode, beside_support)

    def _answers(self, episode: Episode, batches: Batches | None) -> Tensor:
        """Logits [B, Q, N]: the queries in these batches, or by default all of a task in one."""
        check_episode(self, episode)
        if torch.is_inference_mode_enabled():  # where nothing can be differentiated
            with torch.inference_mode(False), torch.no_grad():
                return self._answers(copied(episode), batches)
        batches = batches if episode.query_x.shape[1] else None
        ask = partial(self._ask, n_way=episode.n_way, batches=batches)
        if self._takes_vmap(episode):
            weights = self._adapt_to_all(episode)
            return vmap(ask, randomness="different")(weights, episode.support_x, episode.query_x)
        in_turn = batches is not None and bool(self._vmap_trouble(episode.query_x[0, :1], shared=True))
        answers = []
        for task in episode.tasks():
            weights = self._adapt_to(task)
            if batches is not beside_support:  # channels last in memory, vmap cannot normalise groups of channels
                weights = in_fast_order(self.network, weights, task.query_x[0])
            answers.append(ask(weights, task.support_x[0], task.query_x[0], in_turn=in_turn))
        return torch.stack(answers)

    def _ask(
        self,
        weights: Weights,
        support: Tensor,
        queries: Tensor,
        *,
        n_way: int,
        batches: Batches | None,
        in_turn: bool = False,
    ) -> Tensor:
        """Logits [Q, N] of one task."""
        if batches is None:
            return self._outputs(weights, queries, n_way)

        outputs = partial(self._outputs, weights, n_way=n_way)
        return ask_each(outputs, batches(support, queries), in_turn=in_turn)

    def _takes_vmap(self, episode: Episode) -> bool:
        if (self.form or faster_form(self.network)) == "loop":
            return False
        trouble = self._vmap_trouble(episode.support_x[0, :1])
        if trouble and self.form:
            raise ValueError(f"form='vmap' cannot serve {type(self.network).__name__} ({trouble}); take form=None")
        return not trouble

    def _vmap_trouble(self, image: Tensor, *, shared: bool = False) -> str | None:
        """What keeps vmap from serving the network, tried once in each mode, and said in a line where it does."""
        key = shared, self.training, *map(type, self.network.modules())
        if key not in self._tried:
            said = any(self._tried.values()) or self.form == "vmap"
            trouble = self._tried[key] = vmap_trouble(self.network, image, shared=shared)
            if trouble and not said:
                print(f"not batched but in a loop: vmap cannot serve {type(self.network).__name__} ({trouble})")
        return self._tried[key]

    def _may_adapt(self, name: str) -> bool:
        return True

    def _number_of(self, steps: int | None) -> int:
        """`steps`, by default as many as the mode asks for."""
        if steps is not None:
            return check_whole_number("steps", steps, least=0)
        return self.inner_steps if self.training or self.test_steps is None else self.test_steps

    def _adapt_to(self, task: Episode) -> Weights:
        return self.adapt(task.support_x[0], task.support_y[0], n_way=task.n_way)

    def _adapt_to_all(self, episode: Episode) -> Weights:
        """For the form "vmap": the weights adapted to each task, [B, ...]."""
        raise NotImplementedError

    def _of_all_tasks(self, batch_size: int) -> Weights:
        """The initial weights, once for each task: [B, ...]."""
        return {name: w.expand(batch_size, *w.shape) for name, w in self.initial_weights().items()}

    def _outputs(self, weights: Weights, x: Tensor, n_way: int | None) -> Tensor:
        outputs = called(self.network, weights, x)
        if not isinstance(outputs, Tensor):
            raise TypeError(f"{type(self.network).__name__} must give a tensor, got {type(outputs).__name__}")
        if n_way is not None and outputs.shape != (len(x), n_way):
            name, wanted = type(self.network).__name__, [len(x), n_way]
            raise ValueError(f"{name} must give outputs [M, n_way] = {wanted} for this episode, got {[*outputs.shape]}")
        return outputs

    def _loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return inner_loss(self.loss_function, outputs, targets)
