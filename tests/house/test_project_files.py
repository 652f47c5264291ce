"""The files around the code agree with each other: versions, hooks, make's targets, Python's versions."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml
from guard import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE = (ROOT / "Makefile").read_text()


def read_yaml(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text())


def test_the_citation_names_this_version_and_what_the_format_requires() -> None:
    citation = read_yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]["text"]


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert versions[0] == PROJECT["version"]
    assert versions == sorted(versions, reverse=True, key=lambda version: [*map(int, version.split("."))])


def hooks() -> dict[str, str]:
    """The command of each pre-commit hook, by name, without the folder of the environment."""
    found = [hook for repo in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    return {hook["name"]: hook["entry"].replace(".venv/bin/", "").replace(" --force-exclude", "") for hook in found}


def test_the_hooks_are_those_of_make_lint() -> None:
    lint = MAKEFILE.partition("\nlint:")[2].partition("\n\n")[0]
    stages = dict(re.findall(r"\(call stage,([^,]+),(.+)\)", lint))
    assert len(stages) == 5
    commands = {name: command.replace("$(PY)", "python").removesuffix(" .") for name, command in stages.items()}
    assert hooks() == commands


def test_every_target_of_make_that_a_text_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.M)) | {"lint", "site"}
    texts = {name: (ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md", "book/how-to-use.md")}
    named = {(file, name) for file, text in texts.items() for name in re.findall(r"`make ([a-z-]+)", text)}
    assert len(named) > 5
    assert {(file, name) for file, name in named if name not in targets} == set()


@pytest.mark.parametrize("target", re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.M))
def test_every_target_is_phony(target: str) -> None:
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.M)
    assert phony is not None
    assert target in phony[1].split()


def test_pythons_that_are_declared_are_tested() -> None:
    assert PROJECT["requires-python"] == ">=3.11"
    jobs = read_yaml(".github/workflows/ci.yml")["jobs"]
    tested = {str(version) for job in jobs.values() for version in versions_of(job)}
    assert tested == {"3.11", "3.12", "3.13"}


def versions_of(job: dict) -> list[str]:
    """The Pythons that a job of the continuous integration sets up."""
    matrix = job.get("strategy", {}).get("matrix", {}).get("python", [])
    plain = [step.get("with", {}).get("python-version", "") for step in job["steps"]]
    return [*matrix, *(version for version in plain if re.fullmatch(r"[\d.]+", version))]


def test_the_lower_bounds_are_tested_too() -> None:
    commands = [
        step.get("run", "") for job in read_yaml(".github/workflows/ci.yml")["jobs"].values() for step in job["steps"]
    ]
    assert "make test-lowest" in commands
