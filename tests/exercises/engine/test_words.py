"""What the learner reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fslbook.exercises import check


def means(embeddings: Tensor, labels: Tensor, n_way: int) -> Tensor:
    members = F.one_hot(labels, n_way).to(embeddings.dtype)  # [S, N]
    return (members.T @ embeddings) / members.sum(dim=0)[:, None]


def raises(*arguments: Any) -> Any:
    raise KeyError("no such thing")


CHANGES: dict[str, Callable[[Tensor], Any]] = {
    "its shape is [2, 6], wanted is [3, 6]": lambda x: x[:2],
    "its shape is [6, 3], wanted is [3, 6]": torch.Tensor.t,
    "its numbers are torch.int64, wanted are floating-point numbers": torch.Tensor.long,
    "too coarse": torch.Tensor.half,
    "it lies on meta, its inputs lie on cpu": lambda x: x.to("meta"),
    "no gradient flows back": torch.Tensor.detach,
    "not finite": lambda x: x / 0,
    "it returned a list, wanted is a tensor of shape [3, 6]": torch.Tensor.tolist,
    "18 of 18 values are wrong": lambda x: x + 1,
}


@pytest.mark.parametrize("words", CHANGES)
def test_what_is_wrong_with_an_answer_is_said_in_words(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not check.prototypes(lambda *a: CHANGES[words](means(*a)))
    assert words in capsys.readouterr().out


def test_a_whole_number_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """1 - 0 for "at least none" is right."""
    right = check.lucky_guesses.oracle
    assert check.lucky_guesses(lambda n, m, k: right(n, m, k) if k else 1), capsys.readouterr().out
    assert not check.lucky_guesses(lambda n, m, k: right(n, m, k) if k else True)


def test_one_image_too_few_is_noticed_among_millions() -> None:
    right = check.images_for_bound.oracle
    assert not check.images_for_bound(lambda n, gap, delta: right(n, gap, delta) - (n > 3))


def test_changed_inputs_are_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert not check.prototypes(lambda x, y, n: means(x.mul_(2), y, n))
    assert "it changed its arguments (number 1)" in capsys.readouterr().out


def test_an_error_names_the_line_of_the_learner(capsys: pytest.CaptureFixture[str]) -> None:
    check.prototypes(raises)
    line = raises.__code__.co_firstlineno + 1
    assert f"KeyError in line {line} of your cell: 'no such thing'" in capsys.readouterr().out


def test_a_wrong_number_of_arguments_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    check.prototypes(lambda x: x)
    assert "TypeError at the call: look at the number of arguments" in capsys.readouterr().out


def test_an_answer_that_cannot_be_probed_gets_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert not check.inner_step(lambda *a: [torch.zeros(1)])
    assert "what came back, a list, is not what the task asks for" in capsys.readouterr().out


def test_gradients_left_in_a_network_are_no_change_but_new_weights_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.reptile_gradient(_trains_in_place(restores=True)), capsys.readouterr().out
    assert not check.reptile_gradient(_trains_in_place(restores=False))
    assert "it changed its arguments" in capsys.readouterr().out


def _trains_in_place(restores: bool) -> Callable[..., Any]:
    def version(network: Any, x: Tensor, y: Tensor, inner_lr: float, steps: int, loss: Any) -> Any:
        answer = check.reptile_gradient.oracle(network, x, y, inner_lr, steps, loss)
        loss(network(x[0]), y[0]).backward()
        if not restores:
            torch.optim.SGD(network.parameters(), lr=0.1).step()
        return answer

    return version


def test_a_history_that_is_used_up_passes_no_gradient_on(capsys: pytest.CaptureFixture[str]) -> None:
    def version(*arguments: Any) -> Tensor:
        answer = means(*arguments).square().sqrt()
        answer.sum().backward()
        return answer * means(*arguments).sign().detach()

    assert not check.prototypes(version)
    assert "no gradient flows back through your function: Trying to backward" in capsys.readouterr().out
