"""What is no evidence: every field of a run with values that no run can have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import SMALL
from paper.made_up import run_of, score

from fslbook.paper import ledger
from fslbook.paper.evidence import FIELDS, defects_of_run, malformed
from fslbook.paper.recipes import RECIPES

NAN, INF = float("nan"), float("inf")
NO_NUMBERS: list[Any] = [None, "x", "1", "", [], [1], {}, True, False, NAN, INF, -INF, 10**400]
NOT_WHOLE = [*NO_NUMBERS, -1, 0.5, 1.0]
NOT_POSITIVE = [*NO_NUMBERS, 0, -5, -0.1]
NOT_A_SHARE = [*NO_NUMBERS, -5, -1e-9, 1.0000001, 98.8]
NOT_TEXT: list[Any] = [None, "", "  ", 0, 1, True, [], ["x"], {}, NAN]


def not_scores() -> list[Any]:
    good = score(0.9, SMALL.test_episodes)
    spoilt = [good | {name: value} for name in ("accuracy", "ci95") for value in NOT_A_SHARE]
    spoilt += [good | {"episodes": value} for value in [*NOT_WHOLE, 0, 1]]
    without = [{key: good[key] for key in good if key != name} for name in good]
    return [*spoilt, *without, good | {"more": 1}, 0.9, "x", [], [good], True, {}]


def not_curves() -> list[Any]:
    good = run_of(SMALL)["curve"]
    steps = [None, "x", {}, [2], [1, 2, 3], [2, 1], [1, 1], [1, 2.5], [1, True], [-1, 2], [1, "2"], [1, NAN]]
    losses = [None, "x", {}, [1.5], [1.5, NAN], [1.5, INF], [1.5, "x"], [1.5, True], [1.5, [1]]]
    spoilt = [good | {"step": value} for value in steps] + [good | {"loss": value} for value in losses]
    spoilt += [good | {"validation_accuracy": [value]} for value in NOT_A_SHARE if value is not None]
    without = [{key: good[key] for key in good if key != name} for name in good]
    return [*spoilt, *without, good | {"more": []}, None, "x", [], True, {}]


BAD: dict[str, list[Any]] = {
    "seed": NOT_WHOLE,
    "all_at_once": [*not_scores(), None],
    "with_support": not_scores(),
    "one_at_a_time": not_scores(),
    "untrained": [*not_scores(), None],
    "training_tasks": [*NOT_WHOLE, 0],
    "seconds": NOT_POSITIVE,
    "tasks_per_second": NOT_POSITIVE,
    "precision": [*NOT_TEXT, "float16", "FLOAT32", "float"],
    "peak_memory_mib": [value for value in NOT_POSITIVE if value is not None],
    "hardware": NOT_TEXT,
    "versions": [None, {}, [], "3.11", {"python": None}, {"python": 3}, {"python": ""}, True, 1, ["x"]],
    "commit": NOT_TEXT,
    "command": NOT_TEXT,
    "weights_sha256": [*NOT_TEXT, "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 63 + "\n"],
    "curve": not_curves(),
}
CASES = [(name, value) for name, values in BAD.items() for value in values]


def test_a_complete_run_is_evidence() -> None:
    assert [*defects_of_run(SMALL, run_of(SMALL))] == []
    assert [*defects_of_run(SMALL, run_of(SMALL, one_at_a_time=None, peak_memory_mib=None, accuracy=1))] == []


def test_every_field_has_ten_bad_values_or_more() -> None:
    assert BAD.keys() == FIELDS.keys()
    assert min(map(len, BAD.values())) >= 10
    assert len(CASES) > 250


@pytest.mark.parametrize(("name", "value"), CASES, ids=[f"{name} {str(value)[:60]}" for name, value in CASES])
def test_no_value_that_no_run_can_have_is_accepted(name: str, value: Any, tmp_path: Path) -> None:
    run = run_of(SMALL) | {name: value}
    assert any(words.startswith(f"{name} is ") and len(words) < 250 for words in malformed(run))
    with pytest.raises(ValueError, match=rf"^prototypical-omniglot-5w1s: {name} is "):
        ledger.add(SMALL, run, tmp_path)
    assert not [*tmp_path.glob("*.json")]


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_must_be_there_but_the_new_one(name: str) -> None:
    run = run_of(SMALL)
    del run[name]
    assert [*malformed(run)] == ([] if name == "with_support" else [f"{name} is missing"])


@pytest.mark.parametrize("run", [None, [], "run", 1, True, [run_of(SMALL)]])
def test_what_is_no_object_is_no_run(run: Any) -> None:
    assert "not an object with fields" in next(malformed(run))


def test_a_field_that_nobody_knows_is_named() -> None:
    assert [*malformed(run_of(SMALL, acuracy=1.0))] == ["there is no field 'acuracy'"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"training_tasks": 7, "tasks_per_second": 7 / 90}, "7 training tasks, the recipe asks for 12"),
        ({"untrained": score(0.2, 9)}, "untrained has 9 test episodes, the recipe asks for 10"),
        ({"one_at_a_time": score(0.2, 9)}, "one_at_a_time has 9 test episodes, the recipe asks for 10"),
        ({"seconds": 80.0}, "tasks per second do not go with 80.0 seconds"),
    ],
)
def test_numbers_that_do_not_go_together_are_named(change: dict[str, Any], words: str) -> None:
    assert words in "; ".join(defects_of_run(SMALL, run_of(SMALL) | change))


ENTRY = {"recipe": SMALL.name, "settings": "{}", "runs": [run_of(SMALL)]}
SHIPPED = {"seed": 0, "weights_sha256": "0" * 64, "all_at_once": score(0.9, 10)}
WRONG_ENTRIES: dict[str, Any] = {
    "a list": [ENTRY],
    "a number": 1,
    "no recipe": {key: value for key, value in ENTRY.items() if key != "recipe"},
    "no settings": {key: value for key, value in ENTRY.items() if key != "settings"},
    "no runs": {key: value for key, value in ENTRY.items() if key != "runs"},
    "another recipe": ENTRY | {"recipe": "maml-omniglot-5w1s"},
    "settings of no kind": ENTRY | {"settings": {}},
    "settings that are no JSON": ENTRY | {"settings": "{"},
    "settings that are a list": ENTRY | {"settings": "[]"},
    "runs that are none": ENTRY | {"runs": []},
    "runs that are one": ENTRY | {"runs": run_of(SMALL)},
    "a run that is a list": ENTRY | {"runs": [[]]},
    "a run without a score": ENTRY | {"runs": [{"seed": 0}]},
    "a seed twice": ENTRY | {"runs": [run_of(SMALL), run_of(SMALL)]},
    "seeds out of order": ENTRY | {"runs": [run_of(SMALL, 1), run_of(SMALL, 0)]},
    "an unknown field": ENTRY | {"rums": []},
    "shipped weights without a score": ENTRY | {"shipped": {"seed": 0, "weights_sha256": "0" * 64}},
    "shipped weights with half a score": ENTRY | {"shipped": SHIPPED | {"all_at_once": {"accuracy": 0.9}}},
    "shipped weights of no seed": ENTRY | {"shipped": SHIPPED | {"seed": None}},
    "shipped weights of no digest": ENTRY | {"shipped": SHIPPED | {"weights_sha256": "abc"}},
    "another digest": ENTRY | {"sha256": "0" * 64},
    "a digest that is a number": ENTRY | {"sha256": 0},
    "a digest that is nothing": ENTRY | {"sha256": None},
}


@pytest.mark.parametrize("name", WRONG_ENTRIES)
def test_an_entry_that_no_ledger_holds_is_refused_by_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{SMALL.name}.json"
    file.write_text(json.dumps(ENTRY | {"shipped": SHIPPED}))
    assert ledger.read(SMALL, tmp_path).accuracy == 0.9
    file.write_text(json.dumps(WRONG_ENTRIES[name]))
    with pytest.raises(ValueError, match=rf"{SMALL.name}\.json is damaged: "):
        ledger.read(SMALL, tmp_path)
    assert [words.partition(":")[0] for words in ledger.defects(SMALL, tmp_path)] == [SMALL.name]


TEXTS = {
    "nothing": b"",
    "half an object": b'{"runs": [',
    "NaN": b'{"runs": NaN}',
    "infinity": b'{"runs": -Infinity}',
    "a name twice": b'{"recipe": 1, "recipe": 2}',
    "bytes": b"\xff\xfe\x00{",
    "a comment": b"{} // fine",
    "too deep": b"[" * 100_000,
    "a list": b"[]",
    "null": b"null",
    "too many digits": b'{"runs": ' + b"9" * 5000 + b"}",
    "a byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_json_object_is_refused_by_name(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{SMALL.name}.json").write_bytes(TEXTS[name])
    with pytest.raises(ValueError, match=rf"{SMALL.name}\.json is damaged: \S+"):
        ledger.read(SMALL, tmp_path)


def test_an_entry_that_was_copied_to_another_recipe_is_refused(tmp_path: Path) -> None:
    ledger.add(SMALL, run_of(SMALL), tmp_path)
    other = RECIPES["prototypical-omniglot-5w5s"]
    (tmp_path / f"{SMALL.name}.json").rename(tmp_path / f"{other.name}.json")
    with pytest.raises(ValueError, match="it is of 'prototypical-omniglot-5w1s', not of prototypical-omniglot-5w5s"):
        ledger.read(other, tmp_path)
