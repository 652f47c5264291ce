"""A network that trains another: one LSTM for all weights, with a state for each (Ravi and Larochelle 2017)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_positive, check_whole_number
from fslbook.networks.fast_weights import log_and_sign

P = 10.0
"""The number p of the preprocessing (Ravi and Larochelle 2017, section 3.2, after Andrychowicz et al. 2016)."""

State = tuple[Tensor, Tensor, Tensor, Tensor]
"""h and c of the LSTM, [M, H] each, and both gates before the sigmoid, forget then input, [M] each."""


class GateCell(nn.Module):
    """Says for each weight how much of it to keep (f) and how far to step against its gradient (i).

    An LSTM reads the gradient and the loss; two linear layers read its output, the weight and the last value of the
    same gate. As in the authors' code, that value is handed on before the sigmoid; the paper's equations hand it on
    after. All weights share the parameters of this cell, and each has a state of its own.

    Args:
        n_hidden: units of the LSTM, at least 1.
        start_lr: about where the input gates begin, above 0 and below 1: the learning rate before training.

    Raises:
        ValueError: a number is out of range.

    Example:
        >>> cell = GateCell()
        >>> weights, gradients = torch.zeros(7), torch.ones(7)
        >>> forget, step, state = cell(gradients, torch.ones(7), weights, cell.start(weights))
        >>> forget.shape, step.shape, bool((forget > 0.95).all()), bool((step < 0.05).all())
        (torch.Size([7]), torch.Size([7]), True, True)
    """

    def __init__(self, n_hidden: int = 20, start_lr: float = 0.01) -> None:
        super().__init__()
        self.n_hidden = check_whole_number("n_hidden", n_hidden, least=1)
        if check_positive("start_lr", start_lr) >= 1:
            raise ValueError(f"start_lr must be below 1, since a gate is a sigmoid, got {start_lr!r}")
        self.lstm = nn.LSTMCell(4, self.n_hidden)
        self.forget, self.step = nn.Linear(self.n_hidden + 2, 1), nn.Linear(self.n_hidden + 2, 1)
        for p in self.parameters():
            nn.init.uniform_(p, -0.01, 0.01)
        middle = math.log(start_lr / (1 - start_lr))
        nn.init.uniform_(self.forget.bias, 4.0, 5.0)  # keep nearly all
        nn.init.uniform_(self.step.bias, middle - 0.5, middle + 0.5)  # small steps

    def start(self, weights: Tensor) -> State:
        """The state before the first step: zeros.

        Args:
            weights: [M].
        """
        nothing = weights.new_zeros(len(weights))
        return nothing[:, None].expand(-1, self.n_hidden), nothing[:, None].expand(-1, self.n_hidden), nothing, nothing

    def forward(self, gradients: Tensor, losses: Tensor, weights: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Forget gates [M], input gates [M] and the next state.

        Args:
            gradients: of the loss with respect to the weights, [M].
            losses: of the task of each weight, [M].
            weights: [M].
            state: of the step before.

        Raises:
            ValueError: gradients, losses and weights are not M numbers each.
        """
        if weights.ndim != 1 or not gradients.shape == losses.shape == weights.shape:
            shapes = [[*x.shape] for x in (gradients, losses, weights)]
            raise ValueError(
                f"gradients, losses and weights must be [M] each, got {shapes[0]}, {shapes[1]}, {shapes[2]}"
            )
        h, c, f, i = state
        read = torch.cat([log_and_sign(gradients, P), log_and_sign(losses, P)], dim=-1)  # [M, 4]
        h, c = self.lstm(read, (h, c))  # [M, H] each
        f = self.forget(torch.cat([h, weights[:, None], f[:, None]], dim=-1))[:, 0]  # [M, H + 2] -> [M]
        i = self.step(torch.cat([h, weights[:, None], i[:, None]], dim=-1))[:, 0]
        return f.sigmoid(), i.sigmoid(), (h, c, f, i)
