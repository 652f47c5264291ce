"""pick_device: one visible choice, and no silent fall-back."""

from __future__ import annotations

import pytest
import torch
from helpers import devices

from fslbook import bf16_is_fast, pick_device


@pytest.fixture(autouse=True)
def no_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FSLBOOK_DEVICE", raising=False)


def pretend_cuda(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2 if there else 0)


@pytest.mark.parametrize(("there", "expected"), [(True, "cuda"), (False, "cpu")])
def test_cuda_where_there_is_one_else_the_cpu(there: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, there)
    assert pick_device().type == expected


def test_the_environment_overrides_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, True)
    monkeypatch.setenv("FSLBOOK_DEVICE", "cpu")
    assert pick_device() == torch.device("cpu")
    monkeypatch.setenv("FSLBOOK_DEVICE", "")
    assert pick_device().type == "cuda"


def test_the_argument_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, True)
    monkeypatch.setenv("FSLBOOK_DEVICE", "cpu")
    assert pick_device("cuda:0") == torch.device("cuda:0")


def test_cuda_that_is_not_there_is_an_error_not_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, False)
    with pytest.raises(RuntimeError, match=r"device 'cuda:1' was asked for, but torch .* sees no CUDA GPU"):
        pick_device("cuda:1")
    monkeypatch.setenv("FSLBOOK_DEVICE", "cuda")
    with pytest.raises(RuntimeError, match="device 'cuda' was asked for"):
        pick_device()


def test_a_gpu_beyond_the_last_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, True)
    assert pick_device("cuda:1").index == 1
    with pytest.raises(RuntimeError, match="'cuda:2' was asked for, but torch sees only 2 GPUs"):
        pick_device("cuda:2")


def test_an_unknown_device_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSLBOOK_DEVICE", "abacus")
    with pytest.raises(ValueError, match="not on 'abacus'"):
        pick_device()


@pytest.mark.parametrize("device", devices())
def test_bf16_is_fast_answers_for_every_device(device: str) -> None:
    assert isinstance(bf16_is_fast(device), bool)
    assert bf16_is_fast(torch.device(device)) == bf16_is_fast(device)


@pytest.mark.parametrize("there", [True, False])
def test_bf16_is_fast_only_where_the_processor_has_it(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fslbook.common.devices._cpu_has_bf16_units", lambda: there)
    supported = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    assert bf16_is_fast("cpu") == (there and supported)
