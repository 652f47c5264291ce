"""Claims that are no claims."""

from __future__ import annotations

import math

import numpy as np
import torch
from bad_input.cases import Refused, Right

from fslbook import claim

NO_TRUTH = {
    "a pair": (False, "why"),
    "a list": [False],
    "a function": lambda: False,
    "a text": "False",
    "NaN": math.nan,
    "None": None,
    "a number": 1,
    "a share": 0.9,
    "an array of numbers": np.array([1]),
    "a tensor of numbers": torch.tensor(1.0),
    "a dictionary": {"holds": False},
}
ROWS: dict[str, Refused | Right] = {
    f"condition is {kind}": Refused(lambda v=v: claim("it holds", v), "truth value", (TypeError, ValueError))
    for kind, v in NO_TRUTH.items()
}
ROWS |= {
    f"condition is {kind}": Refused(lambda v=v: claim("it holds", v), r"got .*; use .all\(\) or .any\(\)")
    for kind, v in {
        "two truths": torch.tensor([True, True]),
        "no truth": torch.empty(0) > 0,
        "array": np.ones(2) > 0,
    }.items()
}
ROWS |= {
    f"condition is {v!r}": Refused(lambda v=v: claim("it holds", v), "does not hold: it holds", AssertionError)
    for v in (False, np.False_, torch.tensor(False), np.array([False]))
}
ROWS |= {
    "value is NaN": Refused(lambda: claim("it holds", True, value=math.nan), "NaN, which is no number"),
    "value is a list": Refused(lambda: claim("it holds", True, value=[1]), "a number or a text", TypeError),
    "value is a truth value": Refused(lambda: claim("it holds", True, value=True), "a number or a text", TypeError),
    "value is two numbers": Refused(lambda: claim("it holds", True, value=torch.ones(2)), "one number, got a tensor"),
    "no sentence": Refused(lambda: claim(True, "it holds"), "needs a sentence first", TypeError),
    "a NumPy truth": Right(lambda: claim("it holds", np.True_) is None),
}
