"""With no archives and no network the course still has its data, and says which."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CUT_OFF = """
import socket

def refuse(*arguments, **options):
    raise OSError("the network is cut off")

socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse
"""
ASK = """
import fslbook
splits = fslbook.course_dataset()
print(sum(len(part) for part in (splits.base, splits.validation, splits.novel)), "classes")
"""


def without_network(script: str, data: Path) -> str:
    """What `script` prints in a Python that reaches no other machine and finds an empty data folder."""
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")} | {
        "FSLBOOK_DATA": str(data)
    }
    command = [*own_network_namespace(), sys.executable, "-c", CUT_OFF + script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def own_network_namespace() -> list[str]:
    """A prefix that leaves a command without any network, where the system allows it."""
    prefix = ["unshare", "--map-root-user", "--net"]
    allowed = shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    return prefix if allowed else []


@pytest.mark.slow
def test_the_course_runs_on_glyphs_without_network(tmp_path):
    words = without_network(ASK, tmp_path)
    assert "glyphs" in words and "no Omniglot" in words
    assert int(words.split(" classes")[-2].split()[-1]) >= 1000


def test_the_network_is_really_cut_off(tmp_path):
    script = "import urllib.request as u\ntry: u.urlopen('http://192.0.2.1', timeout=2)\nexcept OSError as e: print(e)"
    assert "cut off" in without_network(script, tmp_path)
