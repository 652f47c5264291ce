"""`fit(compiled=True)`: the same learning curve, or a line that says why not."""

import pytest
import torch
from helpers import blobs, easy_sampler, small_method
from torch import nn

from fslbook import MAML, EpisodeSampler, History, PrototypicalNetwork, fit
from fslbook.networks.encoders import conv_block
from fslbook.training.compiling import why_not_compiled

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, on its way through itself


@pytest.mark.slow
def test_a_compiled_run_learns_as_an_ordinary_one(capsys: pytest.CaptureFixture[str]) -> None:
    if reason := why_not_compiled(nn.Identity(), torch.device("cpu")):
        pytest.skip(reason)
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]

    def run(compiled: bool) -> History:
        torch.manual_seed(0)
        method = PrototypicalNetwork(nn.Sequential(conv_block(1, 4), nn.Flatten(1)))
        return fit(method, EpisodeSampler(blobs(noise=2.0), 5, 1, 3), 8, compiled=compiled, progress=False)

    ordinary = run(False)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == graphs
    compiled = run(True)
    assert 1 <= torch._dynamo.utils.counters["stats"]["unique_graphs"] - graphs < 4  # watching it compiles nothing anew
    assert len(set(ordinary.accuracy)) > 2
    assert compiled.loss == pytest.approx(ordinary.loss, rel=1e-3)
    assert compiled.accuracy == pytest.approx(ordinary.accuracy, abs=0.1)
    assert capsys.readouterr().out == ""


def test_a_method_that_is_compiled_already_is_refused() -> None:
    """torch.compile compiles the answers, and the training would go on without it and without accuracy."""
    with pytest.raises(TypeError, match="hand over the method with compiled=True"):
        fit(torch.compile(small_method()), easy_sampler(), 2, progress=False)


@pytest.mark.slow
def test_a_part_may_be_compiled_in_place() -> None:
    if reason := why_not_compiled(nn.Identity(), torch.device("cpu")):
        pytest.skip(reason)
    method, plain = small_method(), fit(small_method(), easy_sampler(), 3, progress=False)
    method.encoder.compile()
    compiled = fit(method, easy_sampler(), 3, progress=False)
    assert compiled.loss == pytest.approx(plain.loss, rel=1e-3)
    assert compiled.accuracy == plain.accuracy


def test_methods_that_differentiate_inside_their_loss_are_not_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    method = MAML(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), 0.1)
    history = fit(method, easy_sampler(), 2, compiled=True, progress=False)
    said = "not compiled: MAML differentiates inside its loss, which torch.compile cannot do\n"
    assert capsys.readouterr().out == said
    assert len(history.loss) == 2


def test_a_missing_compiler_is_named_and_training_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(function: object) -> object:
        def call(*inputs: object) -> object:
            raise RuntimeError("no C++ compiler found\nmore on this elsewhere")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    history = fit(small_method(), easy_sampler(), 2, compiled=True, progress=False)
    said = "not compiled: torch.compile does not work here (no C++ compiler found)\n"
    assert capsys.readouterr().out == said
    assert len(history.loss) == 2
