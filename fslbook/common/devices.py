"""The one place where the book chooses between CPU and GPU."""

from __future__ import annotations

import os

import torch


def pick_device(name: str | torch.device | None = None) -> torch.device:
    """The device to compute on: `name`, else $FSLBOOK_DEVICE, else CUDA where it is available, else the CPU.

    Args:
        name: "cpu", "cuda", "cuda:1", ...

    Raises:
        ValueError: no such name, or a kind of device that the book does not use.
        RuntimeError: CUDA was asked for and there is none; the book never falls back in silence.

    Example:
        >>> pick_device("cpu")
        device(type='cpu')
    """
    asked = name or os.environ.get("FSLBOOK_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    device = _device(asked)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(f"device {asked!r} was asked for, but torch {torch.__version__} sees no CUDA GPU")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RuntimeError(f"device {asked!r} was asked for, but torch sees only {torch.cuda.device_count()} GPUs")
    return device


def bf16_is_fast(device: torch.device | str) -> bool:
    """Whether `device` computes bfloat16 in hardware; elsewhere bf16 is slower than float32.

    Args:
        device: "cpu", "cuda", ...; it need not be there.

    Raises:
        ValueError: no such device, or a kind that the book does not use.

    Example:
        >>> bf16_is_fast("cpu") in (True, False)  # it depends on the processor
        True
    """
    if _device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and _cpu_has_bf16_units()


def _device(name: object) -> torch.device:
    try:
        device = torch.device(name) if isinstance(name, (str, torch.device)) else None
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise ValueError(f"the book computes on 'cpu', 'cuda' or one of several as 'cuda:1', not on {name!r}")
    return device


def _cpu_has_bf16_units() -> bool:
    try:
        with open("/proc/cpuinfo") as file:
            flags = file.read()
    except OSError:  # not Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
