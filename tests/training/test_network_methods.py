"""The methods that are networks themselves under every switch of `fit`, in `evaluate` and in `FewShotClassifier`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import blobs, easy_sampler
from network_methods import IN_A_TEAM, NETWORK_METHODS, gradients, made
from torch import nn
from training_runs import Run, assert_equal_histories, assert_equal_runs

from fslbook import FewShotClassifier, OneQueryAtATime, evaluate, fit
from fslbook.training.compiling import why_not_compiled

CONTROL = "reader, feed-forward"
"""It knows no support image but the last one's label, and cannot learn."""

NOT_COMPILED = {
    "learned optimiser": "differentiates inside its loss",
    "reader, memory": "MemoryReader: what torch.compile makes",
}

EVERY = pytest.mark.parametrize("name", NETWORK_METHODS)


@EVERY
def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(name: str, tmp_path: Path) -> None:
    unbroken, resumed = Run(made(name)), Run(made(name))
    history = unbroken.fit(6)
    Run(made(name)).fit(4, tmp_path / "run.pt")
    with torch.no_grad():
        next(resumed.method.parameters()).fill_(7)  # whatever the new weights were, the saved ones count
    assert_equal_histories(resumed.fit(6, tmp_path / "run.pt"), history)
    assert_equal_runs(resumed, unbroken)


@EVERY
def test_bf16_computes_the_encoder_alone_less_finely(name: str) -> None:
    method, types = made(name), {}

    def note(module: nn.Module, inputs: object, output: object) -> None:
        out = output if isinstance(output, torch.Tensor) else output[0]  # of an LSTM, h
        types.setdefault(names[module], set()).add(out.dtype)

    names = {part: key for key, part in method.named_modules() if isinstance(part, (nn.Linear, nn.LSTMCell))}
    for part in names:
        part.register_forward_hook(note)
    coarse = Run(method).fit(3, bf16=True).loss
    heads = {key: kinds for key, kinds in types.items() if not key.startswith(("encoder.", "network."))}
    assert heads == {key: {torch.float32} for key in heads}
    assert 0 < len(heads) < len(types)
    plain = Run(made(name)).fit(3).loss
    assert coarse != plain
    assert coarse[0] == pytest.approx(plain[0], rel=0.05)


@EVERY
def test_a_graph_is_declined_without_a_gpu_and_training_goes_on(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = Run(made(name)).fit(3, cuda_graph=True)
    assert capsys.readouterr().out == "no CUDA graph: there are no CUDA graphs on cpu\n"
    assert asked.loss == Run(made(name)).fit(3).loss


@EVERY
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, on its way through itself
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # so too: the order breaks the graph
def test_a_compiled_run_learns_as_an_ordinary_one_or_says_why_not(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if reason := why_not_compiled(nn.Identity(), torch.device("cpu")):
        pytest.skip(reason)
    compiled = Run(made(name)).fit(3, compiled=True).loss
    assert NOT_COMPILED.get(name, "") in (said := capsys.readouterr().out)
    assert bool(said) == (name in NOT_COMPILED)
    assert compiled == pytest.approx(Run(made(name)).fit(3).loss, rel=1e-3)


@EVERY
def test_every_weight_that_can_be_trained_has_a_gradient(name: str) -> None:
    """Processes of a team wait for the gradients of all of them."""
    method = made(name)
    method.loss(easy_sampler().sample(2)).backward()
    assert [n for n, p in method.named_parameters() if p.requires_grad and p.grad is None] == []


TEAM = """
import sys, torch
from helpers import easy_sampler
from fslbook import fit
from fslbook.training.distributed import join
from network_methods import IN_A_TEAM, gradients
from torch import distributed as dist
team, found = join(torch.device("cpu")), {}
for name in IN_A_TEAM:
    torch.manual_seed(0)
    method, sampler = IN_A_TEAM[name](), easy_sampler(seed=team.rank)
    parallel = team.parallel(method)
    found[name] = gradients(method, parallel.loss(sampler.sample(2)))
    fit(parallel, sampler, 2, batch_size=2, progress=False)  # waits for all gradients of the step before
torch.save(found, f"{sys.argv[1]}/rank{team.rank}.pt")
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_average_the_gradients_of_every_method_and_of_what_is_left_of_one(tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(TEAM)
    tests = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{tests.parent}:{tests}", "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*torchrun, str(tmp_path / "team.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr
    found = [torch.load(tmp_path / f"rank{rank}.pt") for rank in range(2)]
    for name, make in IN_A_TEAM.items():
        torch.manual_seed(0)
        method = make()
        alone = gradients(method, sum(method.loss(easy_sampler(seed=rank).sample(2)) for rank in range(2)) / 2)
        for rank in range(2):
            assert found[rank][name].keys() == alone.keys(), name
            for key, expected in alone.items():
                torch.testing.assert_close(found[rank][name][key], expected, rtol=1e-4, atol=1e-6)


@EVERY
def test_it_learns_and_evaluate_asks_as_one_query_at_a_time(name: str) -> None:
    method, before = made(name), evaluate(made(name), easy_sampler(seed=1), 60)
    optimizer = torch.optim.Adam(method.parameters(), 0.003)
    fit(method, easy_sampler(), 300, batch_size=8, optimizer=optimizer, progress=False)  # the transformer jumps late
    after = evaluate(method, easy_sampler(seed=1), 60)
    assert (after.mean > before.mean + 0.1) == (name != CONTROL)
    alone = evaluate(OneQueryAtATime(method), easy_sampler(seed=1), 60)
    assert alone.mean == pytest.approx(after.mean, abs=0.01)


@EVERY
def test_it_answers_for_ones_own_images_in_any_company(name: str) -> None:
    classes = blobs(5, 4)
    support, labels = torch.cat([classes[i][:2] for i in range(5)]), [f"class {i // 2}" for i in range(10)]
    queries = torch.cat([classes[i][2:] for i in range(5)])
    classifier = FewShotClassifier(made(name)).fit(support, labels)
    together = torch.as_tensor(classifier.predict_proba(queries))
    alone = [torch.as_tensor(classifier.predict_proba(queries[i : i + 1])) for i in range(10)]
    assert together.shape == (10, 5)
    torch.testing.assert_close(torch.cat(alone), together, rtol=1e-4, atol=1e-5)
