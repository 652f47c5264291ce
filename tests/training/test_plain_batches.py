"""`fit` knows nothing of episodes: a sampler with `sample(batch_size)` and a method with `loss(batch)` will do."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD

from fslbook import fit

W = torch.tensor([[1.0], [-2.0], [0.5]])


class Points:
    """Draws points of a plane, from torch's own generator, in one of several forms; it knows no device."""

    def __init__(self, form: str) -> None:
        self.form = form

    def sample(self, batch_size: int) -> Any:
        x = torch.randn(batch_size, 3)
        return {"tensor": torch.cat([x, x @ W], 1), "dict": {"x": x, "y": x @ W}, "tuple": (x, x @ W)}[self.form]


class Plane(nn.Module):
    """Linear regression, as a method that takes any of these forms."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1, bias=False)

    def loss(self, batch: Any) -> Tensor:
        if isinstance(batch, Tensor):
            x, y = batch[:, :3], batch[:, 3:]
        else:
            x, y = batch.values() if isinstance(batch, dict) else batch
        return nn.functional.mse_loss(self.layer(x), y)


def trained(form: str, steps: int, checkpoint: Path | None = None) -> tuple[Plane, list[float], list[float]]:
    plane = Plane()
    optimizer = SGD(plane.parameters(), lr=0.2)
    settings = {"batch_size": 32, "optimizer": optimizer, "checkpoint": checkpoint, "progress": False}
    history = fit(plane, Points(form), steps, **settings)
    return plane, history.loss, history.accuracy


@pytest.mark.parametrize("form", ["tensor", "dict", "tuple"])
def test_batches_of_any_form_train(form: str) -> None:
    torch.manual_seed(0)
    plane, losses, accuracies = trained(form, 60)
    torch.testing.assert_close(plane.layer.weight.detach().T, W, atol=1e-3, rtol=0)
    assert losses[-1] < 1e-4 < losses[0]
    assert all(map(math.isnan, accuracies))


def test_they_go_on_from_a_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    """Also where the sampler has no generator of its own: it draws from torch's, which is saved."""
    torch.manual_seed(1)
    plane, losses, _ = trained("dict", 20)
    torch.manual_seed(1)
    trained("dict", 8, tmp_path / "run.pt")
    torch.manual_seed(2)
    resumed, again, _ = trained("dict", 20, tmp_path / "run.pt")
    assert again == losses
    assert torch.equal(resumed.layer.weight, plane.layer.weight)
    with pytest.raises(ValueError, match=r"sampler.form is 'dict' there and 'tuple' here"):
        trained("tuple", 30, tmp_path / "run.pt")


def test_a_sampler_without_a_generator_is_not_captured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay would repeat the batch of the capture for ever."""
    from fslbook.training import cuda_graphs

    monkeypatch.setattr(cuda_graphs, "why_not", lambda *_: None)
    for generator in (None, torch.Generator()):
        step = cuda_graphs.captured(list, generator, SGD([W.clone()], lr=0.1), torch.device("cuda"))
        assert step is list
        assert "the sampler has no generator on the GPU, so that each replay would repeat" in capsys.readouterr().out
