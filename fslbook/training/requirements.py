"""What `fit` asks of a method and of a sampler, checked before the first step."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from fslbook.common.arguments import check_same_device, readable


def check_method(method: nn.Module) -> None:
    """Refuse what is not a method with something to learn and finite weights.

    Args:
        method: a module with `loss(batch)`.

    Raises:
        TypeError: it is a class, no module, has no `loss`, or is the output of torch.compile.
        ValueError: it has no parameters to train, or a weight is NaN or infinite.

    Example:
        >>> check_method(nn.Linear(2, 2))
        Traceback (most recent call last):
        TypeError: Linear has no loss(batch), so it is no method; put an encoder into one: PrototypicalNetwork(encoder)
    """
    if isinstance(method, type):
        raise TypeError(f"fit needs a method, got the class {method.__name__}; make one of it: {method.__name__}(...)")
    if not isinstance(method, nn.Module):
        raise TypeError(f"fit needs a method, a torch module with loss(batch); got {short(method)}")
    if isinstance(getattr(method, "_orig_mod", None), nn.Module):
        raise TypeError(
            "torch.compile compiles `forward`, fit learns by `loss`: hand over the method with compiled=True"
        )
    name = type(method).__name__
    if not callable(getattr(method, "loss", None)):
        raise TypeError(
            f"{name} has no loss(batch), so it is no method; put an encoder into one: PrototypicalNetwork(encoder)"
        )
    if not any(p.requires_grad for p in method.parameters()):
        raise ValueError(f"{name} has no parameters to train")
    if bad := broken_weights(method):
        raise ValueError(f"{name} cannot be trained from weights that are NaN or infinite: {bad}")


def check_sampler(sampler: Any) -> None:
    """Refuse what draws no batches.

    Args:
        sampler: anything with `sample(batch_size)`.

    Raises:
        TypeError: it is a class, or has no `sample`.

    Example:
        >>> check_sampler([1, 2])
        Traceback (most recent call last):
        TypeError: fit needs a sampler with sample(batch_size), such as EpisodeSampler(classes); got [1, 2]
    """
    if isinstance(sampler, type):
        raise TypeError(
            f"fit needs a sampler, got the class {sampler.__name__}; make one of it: {sampler.__name__}(...)"
        )
    if not callable(getattr(sampler, "sample", None)):
        raise TypeError(
            f"fit needs a sampler with sample(batch_size), such as EpisodeSampler(classes); got {short(sampler)}"
        )


def device_of(method: nn.Module, sampler: Any) -> torch.device:
    """Where to train: where the sampler says that its batches lie, else where the method lies.

    Args:
        method: a module with at least one parameter.
        sampler: may have a `device`.

    Raises:
        ValueError: a part of the method lies elsewhere; nothing is moved in secret.

    Example:
        >>> device_of(nn.Linear(2, 2), object())
        device(type='cpu')
    """
    device = torch.device(getattr(sampler, "device", next(method.parameters()).device))
    check_same_device(method, device)
    return device


def broken_weights(method: nn.Module) -> str:
    """The first parameter or buffer that is damaged, in words; empty where all is well.

    Args:
        method: any module. Parameters must be finite; a buffer may hold infinity, as a mask does, but not NaN.

    Example:
        >>> method = nn.Linear(2, 2)
        >>> broken_weights(method)
        ''
        >>> nn.init.constant_(method.bias, torch.nan) is method.bias and broken_weights(method)
        'bias (2 of its 2 numbers)'
    """
    bad = {name: ~p.detach().isfinite() for name, p in method.named_parameters() if readable(p)}
    bad |= {name: buffer.isnan() for name, buffer in method.named_buffers() if readable(buffer)}
    if not bad or not torch.stack([x.any() for x in bad.values()]).any():  # read once: it stalls a GPU
        return ""
    name = next(name for name, x in bad.items() if x.any())
    return f"{name} ({int(bad[name].sum())} of its {bad[name].numel()} numbers)"


def check_still_finite(method: nn.Module, step: int) -> None:
    """Refuse weights that have become NaN or infinite, before they are validated or saved.

    Args:
        method: as it is after the step.
        step: for the message.

    Raises:
        FloatingPointError: says which weights, and after which step.

    Example:
        >>> check_still_finite(nn.Linear(2, 2), step=7)
    """
    if bad := broken_weights(method):
        raise FloatingPointError(f"weights are NaN or infinite after step {step}: {bad}; lower the learning rate")


def short(value: object) -> str:
    """What was given, for an error message: as it prints itself where that is short, else its type.

    Args:
        value: anything.

    Example:
        >>> short([1, 2]), short("x" * 100)
        ('[1, 2]', 'a str')
    """
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"a {type(value).__name__}"
