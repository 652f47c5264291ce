"""Keep a training run in a file, so that it can go on as if it had never stopped."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from fslbook.common.arguments import check_whole_number
from fslbook.common.files import make_folder, replaced
from fslbook.training.history import History
from fslbook.training.saved import Saved, as_bytes, parse, read, said_by
from fslbook.training.settings import differences, in_words
from fslbook.training.steps import Training


class Checkpoints:
    """The file of a training run: everything that the next step depends on, and the history so far.

    Args:
        path: the file; None keeps nothing.
        every: training steps from one saving to the next, at least 1.
        training: what is kept.
        history: what is kept beside it.

    Raises:
        ValueError: `every` is too small.
        TypeError: `path` is no name of a file.

    Example:
        >>> from torch import nn
        >>> layer = nn.Linear(2, 2)
        >>> training = Training(layer, [], 4, torch.optim.SGD(layer.parameters(), lr=0.1), None, torch.device("cpu"))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Checkpoints(f"{folder}/run.pt", 500, training, History()).save()
        ...     saved = torch.load(f"{folder}/run.pt")
        >>> saved["run"]["optimizer.0.lr"], [*saved["method"]]
        ('0.1', ['weight', 'bias'])
    """

    def __init__(self, path: str | Path | None, every: int, training: Training, history: History) -> None:
        check_whole_number("checkpoint_every", every, least=1)
        if not (path is None or isinstance(path, Path) or (isinstance(path, str) and path)):
            raise TypeError(f"checkpoint must be the name of a file, got {path!r}")
        self.path, self.every = None if path is None else Path(path), every
        self.training, self.history = training, history
        self.settings = training.settings() if self.path else {}

    def resume(self, steps: int) -> None:
        """Go on from the file if it is there, and try to write beside it if there is anything left to do.

        Args:
            steps: how many there shall be in the end.

        Raises:
            ValueError: the file is damaged, or of another run, or of a longer one; nothing has been taken over then.
            ValueError: the training holds something that a checkpoint could not give back.
            OSError: the file cannot be read, or its folder not be written to.
        """
        if self.path is None:
            return
        if self.path.exists():
            self._take_over(self.path, steps)
        if len(self.history.loss) < steps:
            self._rehearse(self.path)

    def due(self, step: int) -> bool:
        """Whether to save after this step, counted from 1."""
        return self.path is not None and step % self.every == 0

    def save(self) -> None:
        """Write the file in one move, so that a kill never leaves half of one.

        Where the disk is full, a warning says so, the old file stays, and the training goes on.
        """
        if self.path is None:
            return
        now = self.training.settings()
        # What has moved since the first step, such as a scheduler's counter, is no setting of the run.
        self.settings = {name: word for name, word in self.settings.items() if now.get(name) == word}
        try:
            with replaced(self.path) as temporary:
                temporary.write_bytes(as_bytes(self._content()))
        except OSError as error:
            step, old = len(self.history.loss), "; the older one is as it was" * self.path.exists()
            said = f"no checkpoint of step {step}: {self.path} cannot be written ({error}){old}"
            warnings.warn(said, RuntimeWarning, stacklevel=3)

    def _rehearse(self, path: Path) -> None:
        data = as_bytes(self._content())
        try:
            parse(data)
        except ValueError as error:
            raise ValueError(f"a checkpoint of this training could not be read again ({error})") from error
        make_folder(path.parent)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", suffix=".tmp") as file:
            file.write(data)
            file.flush()

    def _content(self) -> Saved:
        training, generator = self.training, getattr(self.training.sampler, "generator", None)
        return {
            "run": self.settings,
            "method": training.method.state_dict(),
            "optimizer": training.optimizer.state_dict(),
            "scheduler": training.scheduler.state_dict() if training.scheduler else None,
            "generator": generator.get_state() if isinstance(generator, torch.Generator) else None,
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "history": vars(self.history),
        }

    def _take_over(self, path: Path, steps: int) -> None:
        saved, training = read(path), self.training
        self._check_same_run(path, saved, steps)
        _restore_optimizer(training.optimizer, saved["optimizer"])
        training.method.load_state_dict(saved["method"])
        if training.scheduler:
            training.scheduler.load_state_dict(saved["scheduler"])
        if saved["generator"] is not None:
            training.sampler.generator.set_state(saved["generator"])
        torch.set_rng_state(saved["rng"])
        for device, state in enumerate(saved["cuda_rng"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(state, device)
        vars(self.history).update(saved["history"] | {"interrupted": False})
        self.settings = saved["run"] if "sha256" in saved else self.settings

    def _check_same_run(self, path: Path, saved: Saved, steps: int) -> None:
        ours = self.settings | {"episodes": in_words(str(self.training.sampler)) or ""}  # what older files say
        found = differences(said_by(saved), ours) or self._other_shapes(saved)
        if found:
            more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
            raise ValueError(
                f"checkpoint {path} is of another run: {'; '.join(found[:5])}{more}. Give this run another file, or "
                "take the weights alone and train them further under another name: "
                f'method.load_state_dict(torch.load("{path}")["method"])'
            )
        if (done := len(saved["history"]["loss"])) > steps:
            raise ValueError(f"checkpoint {path} has taken {done} steps, more than the {steps} asked for")

    def _other_shapes(self, saved: Saved) -> list[str]:
        ours, groups = self.training.method.state_dict(), self.training.optimizer.param_groups
        kinds = [{name: _kind(x) for name, x in state.items()} for state in (saved["method"], ours)]
        sizes = [str([len(group["params"]) for group in g]) for g in (saved["optimizer"]["param_groups"], groups)]
        absent = dict.fromkeys(kinds[0] | kinds[1], "absent")
        theirs, here = (
            absent | kinds[0] | {"optimizer groups": sizes[0]},
            absent | kinds[1] | {"optimizer groups": sizes[1]},
        )
        return differences(theirs, here)


def _kind(x: Any) -> str:
    return f"{str(x.dtype).removeprefix('torch.')} {[*x.shape]}" if isinstance(x, Tensor) else type(x).__name__


def _restore_optimizer(optimizer: Optimizer, saved: dict[str, Any]) -> None:
    """Load its state; how it computes stays as it is now, and so does the tensor of a learning rate, on its device."""
    for ours, theirs in zip(optimizer.param_groups, saved["param_groups"], strict=True):
        theirs |= {name: ours[name] for name in ("capturable", "foreach", "fused") if name in ours}
    rates = [group["lr"] for group in optimizer.param_groups]
    optimizer.load_state_dict(saved)
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        if isinstance(rate, Tensor):
            group["lr"] = rate.fill_(float(group["lr"]))
