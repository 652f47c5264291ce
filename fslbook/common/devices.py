"""The one place where the book chooses between CPU and GPU."""

from __future__ import annotations

import os

import torch


def pick_device(name: str | None = None) -> torch.device:
    """The device to compute on: `name`, else $FSLBOOK_DEVICE, else CUDA where it is available, else the CPU.

    Args:
        name: "cpu", "cuda", "cuda:1", ...

    Raises:
        RuntimeError: CUDA was asked for and there is none; the book never falls back in silence.
    """
    asked = name or os.environ.get("FSLBOOK_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(asked)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(f"device {asked!r} was asked for, but torch {torch.__version__} sees no CUDA GPU")
    return device


def bf16_is_fast(device: torch.device | str) -> bool:
    """Whether `device` computes bfloat16 in hardware; elsewhere bf16 is slower than float32."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and _cpu_has_bf16_units()


def _cpu_has_bf16_units() -> bool:
    try:
        with open("/proc/cpuinfo") as file:
            flags = file.read()
    except OSError:  # not Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
