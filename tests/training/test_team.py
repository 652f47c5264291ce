"""Several processes in one team."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import fslbook
from fslbook.training.distributed import Team

TEAM = """
import json, sys, torch
from torch import distributed as dist
from helpers import easy_sampler
from fslbook import MAML, fit
from fslbook.training.distributed import join
from torch import nn
torch.manual_seed(0)
team = join(torch.device("cpu"))
method = MAML(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), 0.1)
sampler = easy_sampler(seed=team.rank)
parallel = team.parallel(method)
parallel.loss(sampler.sample(2)).backward()
gradient = [p.grad.flatten().tolist() for p in method.parameters()]
history = fit(parallel, sampler, 3, batch_size=2, progress=False)
with open(f"{sys.argv[1]}/rank{team.rank}.json", "w") as file:
    json.dump([team.rank, team.size, gradient, history.accuracy], file)
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_average_the_gradient_of_all_their_tasks(tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(TEAM)
    tests = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{tests.parent}:{tests}", "OMP_NUM_THREADS": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*torchrun, str(tmp_path / "team.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(2)]
    assert [answer[:2] for answer in answers] == [[0, 2], [1, 2]]
    assert answers[0][2] == answers[1][2]
    _compare_with_one_process(answers[0][2])
    for rank, answer in enumerate(answers):
        assert len(answer[3]) == 3  # each process sees the accuracy on its own tasks
        assert answer[3][0] == pytest.approx(_accuracy_on_the_second_batch(rank), abs=1e-6)


def _compare_with_one_process(together: list[list[float]]) -> None:
    from helpers import easy_sampler

    torch.manual_seed(0)
    method = fslbook.MAML(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), 0.1)
    losses = [method.loss(easy_sampler(seed=rank).sample(2)) for rank in range(2)]
    alone = torch.autograd.grad(sum(losses) / 2, [*method.parameters()])
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(torch.tensor(a), b.flatten(), rtol=1e-5, atol=1e-7)


def _accuracy_on_the_second_batch(rank: int) -> float:
    from helpers import easy_sampler

    torch.manual_seed(0)
    method = fslbook.MAML(nn.Sequential(nn.Flatten(1), nn.Linear(64, 5)), 0.1)
    sampler = easy_sampler(seed=rank)
    sampler.sample(2)
    episode = sampler.sample(2)
    return float((method(episode).argmax(-1) == episode.query_y).float().mean())


def test_tasks_are_dealt_out_evenly_or_not_at_all() -> None:
    assert Team(1, 4).share(32) == 8
    with pytest.raises(ValueError, match="5 tasks a step cannot be dealt out evenly to 2 processes"):
        Team(0, 2).share(5)
