"""Model-agnostic meta-learning: Finn, Abbeel and Levine (2017), and its relatives that change one line of it.

Derived in chapter 8, built step by step in chapter 9. The losses are means, as usual in PyTorch. The authors' code sums
over the classes, so that its inner learning rate of 0.4 in a 5-way task is 2.0 here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint as recomputed

from fslbook.common.arguments import check_positive
from fslbook.methods.optimisation.adaptation import AdaptingMethod
from fslbook.methods.optimisation.gradients import mean_over_tasks
from fslbook.methods.optimisation.inner_loss import Loss, check_finite, check_support
from fslbook.methods.optimisation.weights import Predicate, Weights, beginnings, undisturbed
from fslbook.networks.statistics import keeps_running_statistics
from fslbook.tasks.episode import Episode

FORMS = ("loop", "vmap")


class MAML(AdaptingMethod):
    """Learn an initialisation from which a few gradient steps on the support set solve a task (Finn et al. 2017).

    The loss is that of the adapted weights on the queries, averaged over tasks (their equation 1). Its gradient with
    respect to the initialisation, the meta-gradient, passes through the inner steps.

    Args:
        network: inputs [M, ...] to outputs [M, n_way]; in regression [M, 1]. Frozen parameters do not adapt.
        inner_lr: step size α of the inner loop, above 0.
        inner_steps: inner gradient steps in training, at least 1.
        first_order: treat the inner gradients as constants (FOMAML), which drops the second derivatives.
        test_steps: inner steps in evaluation mode, at least 0; None takes `inner_steps`.
        loss: `loss(outputs, targets)`, a mean, in the inner and in the outer loop.
        form: "loop" adapts to one task after the other, "vmap" to all at once; None takes the faster one: on a CPU
            the loop if the network convolves (weights of its own for each task make a slow grouped convolution).
        recompute: compute each inner step again on the way back instead of keeping its graph: slower, but the memory
            of the inner steps then grows by their weights alone.
        adapted: which parameters adapt, a predicate on their names or some beginnings of names; None for all.
            Only the head: ANIL (Raghu et al. 2020).

    Raises:
        TypeError: the network is no module, or the loss no function.
        ValueError: a number is not positive, the loss is a sum, the form is unknown, a beginning in `adapted` fits no
            parameter, nothing can adapt, or the network keeps running statistics, which neither `form="vmap"` nor
            `recompute` can serve.

    Example:
        >>> from fslbook.tasks import SinusoidTasks
        >>> method = MAML(nn.Linear(1, 1), inner_lr=0.01, loss=F.mse_loss)
        >>> method(SinusoidTasks(k_shot=5, n_query=7).sample(2)).shape
        torch.Size([2, 7, 1])
    """

    def __init__(
        self,
        network: nn.Module,
        inner_lr: float = 0.4,
        inner_steps: int = 1,
        *,
        first_order: bool = False,
        test_steps: int | None = None,
        loss: Loss = F.cross_entropy,
        form: str | None = None,
        recompute: bool = False,
        adapted: Predicate | Iterable[str] | None = None,
    ) -> None:
        self.adapted = beginnings(adapted)
        super().__init__(network, inner_steps, test_steps, loss)
        self._check_adapted()
        self.inner_lr = check_positive("inner_lr", inner_lr)
        self.first_order, self.form, self.recompute = first_order, form, recompute
        self._check_form()

    def adapt(
        self, support_x: Tensor, support_y: Tensor, steps: int | None = None, *, n_way: int | None = None
    ) -> Weights:
        """Fast weights of one task after gradient descent on its support set.

        Args:
            support_x: inputs [S, ...].
            support_y: labels int64 [S] in 0..n_way-1; in regression numbers [S, 1].
            steps: by default `inner_steps`, in evaluation mode `test_steps`; 0 gives the initialisation.
            n_way: where given, the width that the network's outputs must have.

        Raises:
            FloatingPointError: the support loss is not finite any more; says at which step.
            ValueError: inputs, labels, outputs and `n_way` do not fit each other, or `steps` is no number of steps.
        """
        check_support(support_x, support_y, n_way)

        def support_loss(weights: Weights) -> Tensor:
            return self._loss(self._outputs(weights, support_x, n_way), support_y)

        return self._descend(support_loss, self.initial_weights(), steps)

    def loss(self, episode: Episode) -> Tensor:
        """Mean over tasks of the adapted weights' loss on the queries (Finn et al. 2017, equation 1).

        In the loop each task is differentiated at once, so that memory does not grow with the number of tasks; the
        result then has gradients with respect to the parameters of this method and to nothing else.

        Args:
            episode: B tasks with query labels.

        Raises:
            FloatingPointError: a support loss is not finite any more; says at which step.
        """
        if not torch.is_grad_enabled() or self._takes_vmap(episode):
            return self._query_loss(episode)
        with undisturbed(self.network):
            parameters = [p for p in self.parameters() if p.requires_grad]
        return mean_over_tasks(self._query_loss, episode.tasks(), parameters)

    def rate(self, name: str) -> float | Tensor:
        """Inner learning rate of a parameter.

        Args:
            name: of the parameter, as in `network.named_parameters()`.
        """
        return self.inner_lr

    def _query_loss(self, episode: Episode) -> Tensor:
        pairs = zip(self(episode), episode.targets, strict=True)
        return torch.stack([self._loss(logits, targets) for logits, targets in pairs]).mean()

    def _adapt_to_all(self, episode: Episode) -> Weights:
        outputs = partial(self._outputs, n_way=episode.n_way)

        def support_losses(weights: Weights) -> Tensor:
            logits = vmap(outputs, randomness="different")(weights, episode.support_x)  # [B, S, N]
            return vmap(self._loss)(logits, episode.support_y)  # [B]

        return self._descend(support_losses, self._of_all_tasks(episode.batch_size), steps=None)

    def _descend(self, support_loss: Callable[[Weights], Tensor], weights: Weights, steps: int | None) -> Weights:
        second_order = torch.is_grad_enabled() and not self.first_order
        inner_step = partial(self._inner_step, support_loss, second_order)
        if self.recompute and second_order:  # else no graph is kept anyway
            inner_step = partial(recomputed, inner_step, use_reentrant=False)
        losses = []
        for _ in range(self._number_of(steps)):
            weights, loss = inner_step(weights)
            losses.append(loss)
        check_finite(losses)
        return weights

    def _inner_step(
        self, support_loss: Callable[[Weights], Tensor], second_order: bool, weights: Weights
    ) -> tuple[Weights, Tensor]:
        """θ ← θ - α∇L(θ) on the support set, for one task or for all at once; and the loss before the step."""
        at = weights if second_order else {name: w.detach().requires_grad_() for name, w in weights.items()}
        with torch.enable_grad():
            loss = support_loss(at)
            # Each task has weights of its own, so that the gradient of the sum over tasks is that of each task.
            total, leaves = loss.sum(), [*at.values()]
            gradients = torch.autograd.grad(total, leaves, create_graph=second_order, materialize_grads=True)
        moved = {n: w - self.rate(n) * g for (n, w), g in zip(weights.items(), gradients, strict=True)}
        return moved, loss.detach()

    def _may_adapt(self, name: str) -> bool:
        if self.adapted is None:
            return True
        return self.adapted(name) if callable(self.adapted) else name.startswith(self.adapted)

    def _check_adapted(self) -> None:
        names = [*self.initial_weights()]
        for beginning in () if self.adapted is None or callable(self.adapted) else self.adapted:
            if not any(name.startswith(beginning) for name in names):
                raise ValueError(f"adapted: no trainable parameter begins with {beginning!r}, only {names} would adapt")

    def _takes_vmap(self, episode: Episode) -> bool:
        self._check_form()
        return super()._takes_vmap(episode)

    def _check_form(self) -> None:
        if self.form not in (None, *FORMS):
            raise ValueError(f"unknown form {self.form!r}; known are {', '.join(map(repr, FORMS))} and None")
        if (self.recompute or self.form == "vmap") and keeps_running_statistics(self.network):
            cause = "recompute=True would update twice" if self.recompute else "form='vmap' cannot update"
            raise ValueError(
                f"{type(self.network).__name__} keeps running statistics, which {cause}; remove them with "
                "torch.func.replace_all_batch_norm_modules_(network), or take the plain loop"
            )
