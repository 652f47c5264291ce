"""Networks that read a sequence step by step, for learners in chapter 15.

Each has `n_inputs` and `n_outputs`, `start(batch_size, like)`, the state before the first step, and
`reader(inputs, state)`, which takes one step and gives the output [B, n_outputs] and the state after it. A state is a
tuple of tensors [B, ...].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fslbook.common.arguments import check_positive, check_whole_number
from fslbook.networks.memory import MemoryState, empty_memory, step

State = tuple[Tensor, ...]


class FeedForwardReader(nn.Module):
    """One hidden layer and no state: it knows nothing of the steps before, and is the control of the others.

    Args:
        n_inputs: length of the input of a step.
        n_hidden: hidden units.

    Example:
        >>> reader = FeedForwardReader(3, 8)
        >>> output, state = reader(torch.zeros(2, 3), reader.start(2, torch.zeros(1)))
        >>> output.shape, state
        (torch.Size([2, 8]), ())
    """

    def __init__(self, n_inputs: int, n_hidden: int = 128) -> None:
        super().__init__()
        self.n_inputs = check_whole_number("n_inputs", n_inputs, least=1)
        self.n_outputs = check_whole_number("n_hidden", n_hidden, least=1)
        self.layer = nn.Linear(n_inputs, n_hidden)

    def start(self, batch_size: int, like: Tensor) -> State:
        """Nothing.

        Args:
            batch_size: number of sequences B.
            like: a tensor of the type and on the device of the state.
        """
        return ()

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: output [B, n_hidden], and the state after it.

        Args:
            inputs: [B, n_inputs].
            state: of the step before.
        """
        return self.layer(inputs).relu(), state


class LSTMReader(nn.Module):
    """A long short-term memory (Hochreiter and Schmidhuber 1997): all that it knows is in its two vectors h and c.

    Args:
        n_inputs: length of the input of a step.
        n_hidden: length of h and of c.

    Example:
        >>> reader = LSTMReader(3, 8)
        >>> output, (h, c) = reader(torch.zeros(2, 3), reader.start(2, torch.zeros(1)))
        >>> torch.equal(output, h), c.shape
        (True, torch.Size([2, 8]))
    """

    def __init__(self, n_inputs: int, n_hidden: int = 128) -> None:
        super().__init__()
        self.n_inputs = check_whole_number("n_inputs", n_inputs, least=1)
        self.n_outputs = check_whole_number("n_hidden", n_hidden, least=1)
        self.cell = nn.LSTMCell(n_inputs, n_hidden)
        nn.init.ones_(self.cell.bias_hh[n_hidden : 2 * n_hidden])  # the forget gate begins open

    def start(self, batch_size: int, like: Tensor) -> State:
        """h and c of zeros, [B, n_hidden].

        Args:
            batch_size: number of sequences B.
            like: a tensor of the type and on the device of the state.
        """
        zeros = like.new_zeros(batch_size, self.n_outputs)
        return zeros, zeros

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: h, [B, n_hidden], and (h, c).

        Args:
            inputs: [B, n_inputs].
            state: of the step before.
        """
        h, c = self.cell(inputs, state)
        return h, (h, c)


class MemoryReader(nn.Module):
    """An LSTM with a memory outside (Santoro et al. 2016, section 3): it gives keys and gates, and reads vectors.

    What was read goes into the output, and into the LSTM at the next step. The authors print no inverse temperature of
    the reading. With 1, a row whose cosine is 1 weighs e times as much as one of cosine 0, little among many rows;
    so `sharpness` is an argument.

    Args:
        n_inputs: length of the input of a step.
        n_hidden: length of h and of c.
        n_rows: rows of the memory.
        width: length of a row.
        n_heads: heads that write and read, at most `n_rows`.
        decay: γ, what is left of the usage of a row after a step, in 0..1.
        sharpness: β, factor of the cosines before the softmax; 1 in the paper.

    Raises:
        ValueError: a number is too small, more heads than rows, or a decay outside 0..1.

    Example:
        >>> reader = MemoryReader(3, 8, n_rows=6, width=4, n_heads=2)
        >>> output, state = reader(torch.zeros(2, 3), reader.start(2, torch.zeros(1)))
        >>> output.shape  # h and two vectors that were read
        torch.Size([2, 16])
    """

    why_not_compiled = "what torch.compile makes of its backward pass crashes the process"

    def __init__(
        self,
        n_inputs: int,
        n_hidden: int = 128,
        n_rows: int = 40,
        width: int = 40,
        n_heads: int = 4,
        *,
        decay: float = 0.95,
        sharpness: float = 10.0,
    ) -> None:
        super().__init__()
        self.n_inputs = check_whole_number("n_inputs", n_inputs, least=1)
        self.n_rows, self.width = check_whole_number("n_rows", n_rows, 1), check_whole_number("width", width, 1)
        self.n_heads = check_whole_number("n_heads", n_heads, least=1)
        if n_heads > n_rows:
            raise ValueError(f"each head needs an unused row to write to: {n_heads} heads, {n_rows} rows")
        if not 0 <= decay <= 1:  # NaN neither
            raise ValueError(f"decay must lie in 0..1, got {decay}")
        self.decay, self.sharpness = decay, check_positive("sharpness", sharpness)
        self.controller = LSTMReader(n_inputs + n_heads * width, n_hidden)
        self.heads = nn.Linear(n_hidden, n_heads * (width + 1))  # a key and a gate for each
        self.n_outputs = n_hidden + n_heads * width

    def start(self, batch_size: int, like: Tensor) -> State:
        """The controller's state, what was read (nothing), and an empty memory.

        Args:
            batch_size: number of sequences B.
            like: a tensor of the type and on the device of the state.
        """
        memory = empty_memory(batch_size, self.n_rows, self.width, self.n_heads, like)
        return (
            *self.controller.start(batch_size, like),
            like.new_zeros(batch_size, self.n_heads * self.width),
            *memory,
        )

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: h and what was read, [B, n_hidden + n_heads * width], and the state after it.

        Args:
            inputs: [B, n_inputs].
            state: of the step before.
        """
        h, controller = self.controller(torch.cat([inputs, state[2]], dim=1), state[:2])
        keys, gates = self.heads(h).split([self.n_heads * self.width, self.n_heads], dim=1)
        keys = keys.unflatten(1, (self.n_heads, self.width)).tanh()  # [B, R, W]
        read, memory = step(keys, gates, MemoryState(*state[3:]), decay=self.decay, sharpness=self.sharpness)
        return torch.cat([h, read.flatten(1)], dim=1), (*controller, read.flatten(1), *memory)
