"""claim: one printed line, or an error."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fslbook import claim


@pytest.mark.parametrize("truth", [True, np.bool_(True), torch.tensor(True), torch.tensor([[1]])])
def test_a_claim_that_holds_prints_its_sentence(truth: object, capsys: pytest.CaptureFixture[str]) -> None:
    claim("prototypes beat pixels", truth)
    assert capsys.readouterr().out == "✓ prototypes beat pixels\n"


@pytest.mark.parametrize("lie", [False, np.bool_(False), torch.tensor(False)])
def test_a_claim_that_does_not_hold_raises_and_prints_nothing(lie: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError, match="claim does not hold: pixels beat prototypes"):
        claim("pixels beat prototypes", lie)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("values", [torch.tensor([True, True]), torch.ones(2, 3, dtype=torch.bool), torch.tensor([])])
def test_several_truth_values_are_refused(values: torch.Tensor, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"one truth value, got a tensor \["):
        claim("ambiguous", values)
    assert capsys.readouterr().out == ""
