"""`import fslbook` stays light: what only a download, a picture or a compiler needs waits until it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = "import sys, fslbook; print(*sys.modules)"
HEAVY = ("IPython", "ipywidgets", "matplotlib.pyplot", "pandas", "scipy", "sklearn", "sympy", "torch._dynamo")


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules of a fresh interpreter after `import fslbook`."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", ["torchvision", *HEAVY])
def test_a_heavy_module_is_not_imported(name: str, imported: set[str]) -> None:
    assert {"fslbook.classifier", "torch"} <= imported
    assert name not in imported
