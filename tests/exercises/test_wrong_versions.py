"""Each check rejects the wrong versions that people write, by name."""

from __future__ import annotations

import pytest
from exercise_helpers import NAMES, exercise


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow)])  # the inputs are fresh each time
def test_wrong_versions_are_rejected_by_name(name: str, times: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(exercise(name).mistakes) >= 3
    for mistake in times * exercise(name).mistakes:
        assert not exercise(name)(mistake.wrong)
        printed = capsys.readouterr().out
        failed = [line for line in printed.splitlines() if line.startswith("  ✗")]
        assert failed
        if isinstance(mistake.says, str):
            assert mistake.says in printed
