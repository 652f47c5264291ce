"""Trained weights by name: small safetensors files that know their recipe."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from fslbook.common.devices import pick_device
from fslbook.common.files import replaced, sha256
from fslbook.paper.builders import build
from fslbook.paper.entry import weights_file, weights_there
from fslbook.paper.ledger import read
from fslbook.paper.places import RESULTS
from fslbook.paper.recipe import Recipe, same_settings, same_training, training_settings
from fslbook.paper.recipes import recipe_named

HALF = torch.float16
AGAIN = "install the package again, or train the recipe again"


def load(name: str, device: torch.device | str = "cpu", results: Path | str | None = None) -> nn.Module:
    """The trained method of a recipe, in evaluation mode, after checking its file against the ledger.

    Args:
        name: of the recipe, for instance "prototypical-omniglot-5w1s".
        device: where to put it.
        results: folder of the ledger whose weights are meant; by default the one that comes with the package.

    Raises:
        ValueError: no such recipe; its file is not the one that the ledger vouches for, or is of other settings.
        FileNotFoundError: the recipe has not been run yet, or its file is missing.
        RuntimeError: there is no such device.

    Example:
        >>> load("prototypical-omniglot-5w1s").training
        False
    """
    recipe, device = recipe_named(name), pick_device(device)
    folder = RESULTS if results is None else Path(results)
    entry = read(recipe, folder)
    if entry is None:
        raise FileNotFoundError(f"{name} has not been run yet; `python -m fslbook train {name}` makes its weights")
    path = weights_there(entry, folder)
    if path is None:
        raise FileNotFoundError(f"{weights_file(entry, folder)} is missing, though {name} is in the ledger; {AGAIN}")
    if (digest := sha256(path)) not in entry.digests:
        words = f"its sha256 begins with {digest[:12]}, that in the ledger with {entry.weights_sha256[:12]}"
        raise ValueError(f"{path} is damaged or not the file of the ledger: {words}; {AGAIN}")
    return read_weights(recipe, path).to(device).eval()


def write_weights(recipe: Recipe, method: nn.Module, seed: int, path: Path) -> str:
    """Save the method's state with the settings of its training, in one move, its parameters in half precision.

    Buffers, such as the statistics of batch normalisation, keep their precision, and so does a parameter that half
    precision would change by more than rounding. Large buffers, such as the moments of Reptile's optimiser, are kept
    in bfloat16, which has their range. The same weights of the same training always make the same file.

    Args:
        recipe: what the method was trained by.
        method: the trained method.
        seed: of the run.
        path: the file.

    Returns:
        the file's sha256.

    Raises:
        ValueError: a weight is NaN or infinite.

    Example:
        >>> from tempfile import mkdtemp
        >>> recipe = recipe_named("prototypical-omniglot-5w1s")
        >>> path = Path(mkdtemp()) / "weights.safetensors"

        >>> len(write_weights(recipe, build(recipe), 0, path)), path.stat().st_size < 250_000
        (64, True)
    """
    parameters = {name for name, _ in method.named_parameters()}
    state = {name: x.detach().cpu().contiguous() for name, x in method.state_dict().items()}
    _check_finite(f"{recipe.name}, seed {seed}", state)
    tensors = {name: _in_half(x) if name in parameters else _shorter(name, x) for name, x in state.items()}
    about = {"training": recipe.training, "settings": training_settings(recipe), "seed": str(seed)}
    with replaced(path) as temporary:
        temporary.write_bytes(_in_fixed_order(save(tensors, about)))
    return sha256(path)


def read_weights(recipe: Recipe, path: Path) -> nn.Module:
    """The method of `recipe` with the weights of the file, in single precision.

    Args:
        recipe: whose weights these are.
        path: the file.

    Raises:
        ValueError: the file is damaged, of another recipe, or of the same one with other settings.

    Example:
        >>> from tempfile import mkdtemp
        >>> recipe = recipe_named("prototypical-omniglot-5w1s")
        >>> path = Path(mkdtemp()) / "weights.safetensors"

        >>> method = build(recipe)
        >>> _ = write_weights(recipe, method, 0, path)
        >>> again = read_weights(recipe, path)
        >>> all(torch.allclose(x, y, atol=1e-3) for x, y in zip(again.parameters(), method.parameters(), strict=True))
        True
    """
    about, tensors = _read(path)
    _check_about(about, recipe, path)
    _check_finite(path.name, tensors)
    method = build(recipe)
    try:
        method.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{path.name} does not fit {recipe.name}: {error}") from error
    return method


def _in_half(x: Tensor) -> Tensor:
    """The tensor in half precision, or as it is where rounding moves a number by more than 2⁻¹¹ of the largest."""
    half = x.to(HALF)
    return half if bool(((half.to(x.dtype) - x).abs() <= 2**-11 * x.abs().max()).all()) else x


def _shorter(name: str, buffer: Tensor) -> Tensor:
    """A large buffer in bfloat16; the statistics of batch normalisation are divided by and stay as they are."""
    large = buffer.dtype == torch.float32 and buffer.numel() >= 1024
    return buffer.to(torch.bfloat16) if large and not name.endswith(("running_mean", "running_var")) else buffer


def _in_fixed_order(content: bytes) -> bytes:
    """The same file with its header sorted, so that the same weights always have the same sha256."""
    size = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def _check_finite(whose: str, tensors: dict[str, Tensor]) -> None:
    for name, x in tensors.items():
        if not bool(x.isfinite().all()):
            raise ValueError(f"{whose}: {name} holds NaN or infinity, so that the training diverged or it is damaged")


def _check_about(about: dict[str, str], recipe: Recipe, path: Path) -> None:
    """Refuse what is of another training; files of version 0.1 name their recipe and all its settings instead."""
    settings = about.get("settings", "{}")
    try:
        if "training" in about:
            held, same = about["training"], same_training(settings, recipe)
        else:
            held = about.get("recipe", "something else")
            same = held == recipe.name and same_settings(settings, recipe)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: its settings are no JSON, {error}") from error
    if not same:
        wanted = f"the training {recipe.training} of {recipe.name}"
        raise ValueError(f"{path.name} holds {held}, not {wanted}: another recipe, or other settings than it has now")


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged or not of this kind: {error}") from error
