"""A plugin for pytest: it prints the processor seconds of each notebook, and notes those that passed (affected.py).

The seconds are those of the notebook's kernel, read when it has ended; other work on the machine adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import seconds
from affected import digests, note_green
from guard import ROOT

SECONDS = "processor seconds"


def pytest_configure(config: pytest.Config) -> None:
    """The process that prints gathers what the workers report."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Notebooks(digests(ROOT)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After its last cell a notebook's kernel ends, and is then counted among the children of this process."""
    before = seconds.of_children()
    yield
    if nextitem is None or nextitem.path != item.path:
        item.user_properties.append((SECONDS, seconds.of_children() - before))


class Notebooks:
    """What is known of the notebooks of this run.

    Args:
        digests: of all notebooks, before the first of them is run.
    """

    def __init__(self, digests: dict[str, str]) -> None:
        self.digests = digests
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the result of one cell."""
        name = report.nodeid.partition("::")[0]
        if report.failed:
            self.failed.add(name)
        for key, value in report.user_properties:
            if key == SECONDS and report.when == "teardown":
                self.seconds[name] = float(value)  # type: ignore[arg-type]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table, and remember which notebooks are sound."""
        note_green({name: self.digests[name] for name in self.seconds if name not in self.failed})
        for name, value in sorted(self.seconds.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(f"{value:7.1f} {SECONDS}  {name}")
        terminalreporter.write_line(f"{sum(self.seconds.values()):7.1f} {SECONDS}  {len(self.seconds)} notebooks")
