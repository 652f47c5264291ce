"""What makes a training this one and no other, as words: two runs are one run where these words are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

Settings = dict[str, str]
"""Values in words, by the place where they stand: {"optimizer.0.lr": "0.001", "method.inner_lr": "0.4", ...}."""

HOW_IT_COMPUTES = ("capturable", "differentiable", "foreach", "fused")
"""Settings of an optimiser that change its speed and not its steps."""

OF_EVERY_MODULE = frozenset(vars(nn.Module()))


def in_words(value: object) -> str | None:
    """A plain value in words: numbers, strings, truth values, None, functions by name, and collections of these.

    Numbers are rounded to seven digits, so that a rate in a float32 tensor equals that in a float.

    Args:
        value: anything.

    Returns:
        None for everything else; such a value cannot be compared.

    Example:
        >>> in_words((1, 0.1, None, torch.tensor(0.1))), in_words(nn.functional.mse_loss), in_words(object())
        ('(1, 0.1, None, 0.1)', 'mse_loss', None)
    """
    if value is None or isinstance(value, (bool, str, torch.dtype, torch.device)):
        return repr(value)
    if isinstance(value, Tensor):
        return None if value.ndim or value.is_meta else in_words(value.item())
    if isinstance(value, np.generic):
        return in_words(value.item())
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return f"{float(value):.7g}"
    if isinstance(value, Mapping):
        return _all_in_words(x for pair in value.items() for x in pair)
    if isinstance(value, (tuple, list)):
        return _all_in_words(value)
    return _function_in_words(value)


def _all_in_words(values: Iterable[object]) -> str | None:
    words = [in_words(value) for value in values]
    return None if None in words else f"({', '.join(map(str, words))})"


def _function_in_words(value: object) -> str | None:
    if isinstance(value, partial):
        return in_words((value.func, value.args, value.keywords))
    return getattr(value, "__qualname__", None) if callable(value) else None


def settings_of_method(method: nn.Module) -> Settings:
    """The plain attributes of a module and of all modules in it; found by looking, so that any method is covered.

    Args:
        method: any module.

    Example:
        >>> settings_of_method(nn.Sequential(nn.Dropout(0.5)))
        {'method': "'Sequential'", 'method.0.p': '0.5', 'method.0.inplace': 'False'}
    """
    said = {"method": repr(type(method).__name__)}
    for path, module in method.named_modules(prefix="method"):
        said |= _plain(path, module, but=OF_EVERY_MODULE)
    return said


def settings_of_optimizer(optimizer: Optimizer, method: nn.Module) -> Settings:
    """Its hyper-parameters group by group, and the names of the parameters that each group moves.

    Args:
        optimizer: of parameters of the method.
        method: knows their names.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> said = settings_of_optimizer(torch.optim.SGD(layer.parameters(), lr=0.1), layer)
        >>> said["optimizer.0.lr"], said["optimizer.0.params"]
        ('0.1', "('weight', 'bias')")
    """
    names = {id(p): name for name, p in method.named_parameters()}
    said = {"optimizer": repr(type(optimizer).__name__), "optimizer.groups": str(len(optimizer.param_groups))}
    for index, group in enumerate(optimizer.param_groups):
        moved = [names.get(id(p)) for p in group["params"]]
        said |= group_in_words(index, group | {"params": moved, "param_names": None})
    return said


def group_in_words(index: int, group: Mapping[str, Any]) -> Settings:
    """The hyper-parameters of one group of an optimiser. Where a scheduler moves the rate, the first one counts.

    Args:
        index: number of the group.
        group: as in `optimizer.param_groups`.

    Example:
        >>> group_in_words(0, {"lr": 0.025, "initial_lr": 0.1, "fused": True})
        {'optimizer.0.initial_lr': '0.1'}
    """
    but = (*HOW_IT_COMPUTES, *(["lr"] if "initial_lr" in group else []))
    words = {name: in_words(value) for name, value in group.items() if name not in but}
    return {f"optimizer.{index}.{name}": word for name, word in words.items() if word is not None}


def settings_of_scheduler(scheduler: LRScheduler | None) -> Settings:
    """Its plain attributes, those of the schedulers in it too; which of them move is not known yet.

    Args:
        scheduler: None says that there is none.

    Example:
        >>> settings_of_scheduler(None)
        {'scheduler': 'None'}
    """
    if scheduler is None:
        return {"scheduler": "None"}
    said = {"scheduler": repr(type(scheduler).__name__)} | _plain("scheduler", scheduler)
    for index, inner in enumerate(getattr(scheduler, "_schedulers", [])):
        said |= {f"scheduler.{index}{name[9:]}": word for name, word in settings_of_scheduler(inner).items()}
    return said


def settings_of_sampler(sampler: Any) -> Settings:
    """What tells its batches from those of another: its `identity`, else its own `repr`, else its plain attributes.

    Args:
        sampler: anything with `sample(batch_size)`.

    Example:
        >>> class Ones:
        ...     def __init__(self, size): self.size = size
        >>> settings_of_sampler(Ones(3))
        {'sampler': "'Ones'", 'sampler.size': '3'}
    """
    if identity := getattr(sampler, "identity", None):
        return {"sampler": repr(str(identity))}
    if type(sampler).__repr__ is not object.__repr__:
        return {"sampler": repr(str(sampler))}
    return {"sampler": repr(type(sampler).__name__)} | _plain("sampler", sampler)


def _plain(path: str, thing: object, but: frozenset[str] = frozenset()) -> Settings:
    words = {name: in_words(value) for name, value in getattr(thing, "__dict__", {}).items() if name not in but}
    return {f"{path}.{name}": word for name, word in words.items() if word is not None}


def differences(theirs: Settings, ours: Settings) -> list[str]:
    """Where two runs differ, in words. What only one of them says cannot be compared.

    Args:
        theirs: of the saved run.
        ours: of this one.

    Example:
        >>> differences({"batch_size": "2", "bf16": "False"}, {"batch_size": "3", "method": "'MAML'"})
        ['batch_size is 2 there and 3 here']
    """
    return [
        f"{name} is {theirs[name]} there and {word} here"
        for name, word in ours.items()
        if name in theirs and theirs[name] != word
    ]
