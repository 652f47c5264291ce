"""Trained weights by name: small safetensors files that know their recipe."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fslbook.common.files import replaced
from fslbook.paper.builders import build
from fslbook.paper.recipe import Recipe, same_settings, settings_of
from fslbook.paper.recipes import recipe_named

FOLDER = Path(__file__).parent / "trained"


def load(name: str, device: torch.device | str = "cpu") -> nn.Module:
    """The trained method of the recipe `name`, in evaluation mode, for instance "prototypical-omniglot-5w1s".

    Raises:
        ValueError: no such recipe; or its file is damaged, or of other settings than the recipe's.
        FileNotFoundError: the recipe has not been run yet.
    """
    recipe = recipe_named(name)
    path = FOLDER / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{name} has not been run yet; `python -m fslbook train {name}` makes its weights")
    return read_weights(recipe, path).to(device).eval()


def write_weights(recipe: Recipe, method: nn.Module, seed: int, path: Path) -> str:
    """Save the method's state with its recipe, in one move; returns the file's sha256."""
    tensors = {name: x.detach().cpu().contiguous() for name, x in method.state_dict().items()}
    with replaced(path) as temporary:
        save_file(tensors, temporary, {"recipe": recipe.name, "settings": settings_of(recipe), "seed": str(seed)})
    return sha256(path)


def read_weights(recipe: Recipe, path: Path) -> nn.Module:
    """The method of `recipe` with the weights of the file.

    Raises:
        ValueError: the file is damaged, of another recipe, or of the same one with other settings.
    """
    about, tensors = _read(path)
    if about.get("recipe") != recipe.name:
        raise ValueError(f"{path.name} holds {about.get('recipe', 'something else')}, not {recipe.name}")
    if not same_settings(about.get("settings", "{}"), recipe):
        raise ValueError(f"{path.name} was trained with other settings than the recipe has now; train it again")
    method = build(recipe)
    try:
        method.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{path.name} does not fit {recipe.name}: {error}") from error
    return method


def sha256(path: Path) -> str:
    """Digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged or not of this kind: {error}") from error
