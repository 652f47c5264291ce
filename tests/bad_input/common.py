"""Devices that are none, work that is no function."""

from __future__ import annotations

import torch
from bad_input.cases import Refused, Right

from fslbook import bf16_is_fast, peak_memory, pick_device

STRANGE = ("gpu", "cuda:-1", "cuda:one", "mps", "meta", "cpu,cuda", 3, True, 1.5, ["cpu"], torch.device("meta"))
ROWS: dict[str, Refused | Right] = {
    f"{function.__name__}({name!r})": Refused(lambda f=function, n=name: f(n), "the book computes on 'cpu', 'cuda'")
    for function in (pick_device, bf16_is_fast)
    for name in STRANGE
}
ROWS |= {
    f"peak memory of {work!r}": Refused(lambda w=work: peak_memory(w), "work must be a function", TypeError)
    for work in (3, None, torch.ones(2))
}
ROWS |= {
    "peak memory on no device": Refused(lambda: peak_memory(lambda: 0, "gpu"), "not on 'gpu'"),
    "peak memory inside another": Refused(
        lambda: peak_memory(lambda: peak_memory(lambda: 0)), "one at a time", RuntimeError
    ),
    "pick a device by itself": Right(lambda: pick_device(torch.device("cpu")) == torch.device("cpu")),
    "bf16 of None": Refused(lambda: bf16_is_fast(None), "not on None"),  # type: ignore[arg-type]
}
