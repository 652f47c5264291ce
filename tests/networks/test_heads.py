"""The cosine head against the loop, and what it refuses."""

from __future__ import annotations

import pytest
import torch

from fslbook.networks.heads import CosineLinear


def test_logits_are_scaled_cosines() -> None:
    torch.manual_seed(0)
    head, x = CosineLinear(4, 3, scale=7.0).requires_grad_(False), torch.randn(5, 4)
    expected = [[7 * float(a @ w) / float(a.norm() * w.norm()) for w in head.weight] for a in x]
    assert torch.allclose(head(x), torch.tensor(expected), atol=1e-5)
    assert torch.allclose(head(100 * x), head(x), atol=1e-5)


def test_a_feature_of_zeros_has_finite_gradients() -> None:
    x = torch.zeros(2, 4, requires_grad=True)
    CosineLinear(4, 3)(x).sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


@pytest.mark.parametrize(("arguments", "name"), [((0, 3), "n_features"), ((4, 0), "n_classes"), ((4, 3, 0.0), "scale")])
def test_what_is_too_small_is_named(arguments: tuple[float, ...], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        CosineLinear(*arguments)  # type: ignore[arg-type]
