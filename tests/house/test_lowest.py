"""The environment of the lower bounds holds exactly what pyproject.toml declares."""

from __future__ import annotations

import lowest
import pytest

PROJECT = '[project]\ndependencies = ["torch>=2.6", "numpy>=1.26"]\n'


def test_every_dependency_stands_at_its_lower_bound() -> None:
    assert lowest.lower_bounds(PROJECT) == ["torch==2.6", "numpy==1.26"]


@pytest.mark.parametrize("strange", ["torch", "torch>=2.6,<3", "torch==2.6", "torch~=2.6"])
def test_a_dependency_without_a_plain_lower_bound_is_refused(strange: str) -> None:
    with pytest.raises(ValueError, match=f"name>=version and no more, not '{strange}'"):
        lowest.lower_bounds(PROJECT.replace("torch>=2.6", strange))


def test_the_declared_dependencies_are_read() -> None:
    project, requirements = ((lowest.ROOT / name).read_text() for name in ("pyproject.toml", "requirements.txt"))
    names = [one.partition("==")[0] for one in lowest.lower_bounds(project)]
    assert {"torch", "torchvision", "numpy"} <= set(names)
    pins = requirements.split()
    assert all(any(pin.startswith(f"{name}==") for pin in pins) for name in names)
    assert any(pin.startswith("pytest==") for pin in lowest.checks(requirements))
    assert not any(pin.startswith("torch==") for pin in lowest.checks(requirements))
