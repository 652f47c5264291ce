"""Each check rejects the wrong versions that people write, by name."""

from __future__ import annotations

import pytest
from exercise_helpers import NAMES, exercise


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow  # wrong/ holds further ones, which run in `make check`
def test_wrong_versions_are_rejected_by_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(exercise(name).mistakes) >= 3
    for mistake in 2 * exercise(name).mistakes:  # the inputs are fresh each time
        assert not exercise(name)(mistake.wrong)
        printed = capsys.readouterr().out
        failed = [line for line in printed.splitlines() if line.startswith("  ✗")]
        assert failed
        if isinstance(mistake.says, str):
            assert mistake.says in printed
