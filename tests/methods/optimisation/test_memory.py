"""How much memory the inner steps take."""

from __future__ import annotations

import pytest
import torch
from adapting import FORMS
from helpers import image_episode

from fslbook import MAML, conv_classifier
from fslbook.common.memory_use import peak_memory

pytestmark = pytest.mark.slow


def peak(form: str, *, n_tasks: int = 2, steps: int = 1, grad: bool = True, **options: object) -> int:
    torch.manual_seed(0)
    method = MAML(conv_classifier(3, channels=8), inner_steps=steps, form=form, **options)
    episode = image_episode((3, 3, 3), n_query=3, batch=n_tasks, size=28, dtype=torch.float32)

    def work() -> None:
        with torch.set_grad_enabled(grad):
            loss = method.loss(episode)
        if grad:
            loss.backward()

    work()  # gradients that stay, and what libraries keep, are not counted
    return peak_memory(work)


@pytest.mark.parametrize("form", FORMS)
def test_memory_grows_with_the_inner_steps_but_hardly_when_they_are_recomputed(form: str) -> None:
    one, two, six = (peak(form, n_tasks=1, steps=steps) for steps in (1, 2, 6))
    assert six - one == pytest.approx(5 * (two - one), rel=0.05)  # linear
    recomputed = [peak(form, n_tasks=1, steps=steps, recompute=True) for steps in (1, 6)]
    assert recomputed[1] - recomputed[0] < (six - one) / 10


@pytest.mark.parametrize("options", [{"grad": False}, {"first_order": True}])
@pytest.mark.parametrize("form", FORMS)
def test_memory_does_not_grow_with_the_inner_steps_where_no_graph_is_needed(
    form: str, options: dict[str, bool]
) -> None:
    assert peak(form, steps=5, **options) < 1.1 * peak(form, steps=2, **options)


def test_memory_of_the_loop_does_not_grow_with_the_number_of_tasks() -> None:
    assert peak("loop", n_tasks=8) < 1.1 * peak("loop", n_tasks=2)
    assert peak("vmap", n_tasks=8) > 2 * peak("vmap", n_tasks=2)
