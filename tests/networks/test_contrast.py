"""NT-Xent, alignment and uniformity against loops in float64 and closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from helpers import PROPERTIES
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fslbook.networks.contrast import alignment, nt_xent, uniformity


def loop_nt_xent(first: Tensor, second: Tensor, temperature: float) -> float:
    views = [v / v.norm() for v in torch.cat([first, second]).double()]
    total = 0.0
    for i, view in enumerate(views):
        others = [math.exp(float(view @ views[k]) / temperature) for k in range(len(views)) if k != i]
        partner = (i + len(first)) % len(views)
        total -= math.log(math.exp(float(view @ views[partner]) / temperature) / sum(others))
    return total / len(views)


@PROPERTIES
@given(
    m=st.integers(2, 6),
    d=st.integers(1, 5),
    temperature=st.sampled_from([0.05, 0.1, 0.5, 1.0, 7.0]),
    seed=st.integers(0, 99),
)
def test_nt_xent_equals_the_loop(m: int, d: int, temperature: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.randn(2, m, d, generator=generator)
    assert nt_xent(first, second, temperature).item() == pytest.approx(
        loop_nt_xent(first, second, temperature), rel=1e-4
    )


@pytest.mark.parametrize("m", [2, 5, 64])
def test_equal_views_cost_the_logarithm_of_the_others(m: int) -> None:
    alike = torch.ones(m, 3)
    assert nt_xent(alike, alike, 0.1).item() == pytest.approx(math.log(2 * m - 1), rel=1e-5)


def test_a_small_temperature_overflows_nothing() -> None:
    first, second = torch.randn(2, 8, 4, generator=torch.Generator().manual_seed(0))
    first.requires_grad_()
    nt_xent(first, second, 0.001).backward()
    assert first.grad is not None and first.grad.isfinite().all()


def test_the_gradient_is_that_of_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(1)).double()
    monkeypatch.setattr(Tensor, "float", lambda self: self)  # stay in float64
    assert torch.autograd.gradcheck(lambda x: nt_xent(x, second, 0.5), first.requires_grad_())


def test_length_and_order_of_the_images_do_not_matter() -> None:
    first, second = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(2))
    loss = nt_xent(first, second)
    assert torch.isclose(nt_xent(7 * first, second / 3), loss)
    assert torch.isclose(nt_xent(first.flip(0), second.flip(0)), loss)
    assert torch.isclose(nt_xent(second, first), loss)
    assert not torch.isclose(nt_xent(first, second.flip(0)), loss)


def test_alignment_and_uniformity_equal_loops() -> None:
    first, second = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(3))
    a, b = first / first.norm(dim=1, keepdim=True), second / second.norm(dim=1, keepdim=True)
    assert torch.isclose(
        alignment(first, second), torch.stack([(x - y).norm() ** 2 for x, y in zip(a, b, strict=True)]).mean()
    )
    pairs = [math.exp(-2 * float((a[i] - a[j]).norm()) ** 2) for i in range(6) for j in range(i)]
    assert uniformity(first).item() == pytest.approx(math.log(sum(pairs) / len(pairs)), rel=1e-5)
    assert uniformity(torch.ones(4, 3)).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("function", [nt_xent, alignment])
@pytest.mark.parametrize("shapes", [((2, 3), (3, 3)), ((4,), (4,)), ((1, 3), (1, 3)), ((2, 3, 1), (2, 3, 1))])
def test_what_is_no_pair_of_views_is_refused(function: object, shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match=r"two views need|at least two images"):
        function(*(torch.ones(shape) for shape in shapes))  # type: ignore[operator]


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_a_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        nt_xent(torch.ones(2, 2), torch.ones(2, 2), temperature)


@pytest.mark.parametrize("shape", [(1, 3), (3,), (2, 2, 2)])
def test_uniformity_needs_rows(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least two rows"):
        uniformity(torch.ones(shape))
