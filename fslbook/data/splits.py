"""One data set cut by class into base, validation and novel classes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fslbook.data.image_classes import ImageClasses
from fslbook.data.joining import check_alike


@dataclass(frozen=True, eq=False)
class Splits:
    """One data set cut by class: learn on `base`, choose on `validation`, report on `novel`.

    Args:
        name: of the data set.
        base: classes to learn on.
        validation: classes to choose by.
        novel: classes that nothing has seen before the test.

    Raises:
        ValueError: a part is no set of classes, a class is in two splits, or images differ in shape, type or device.

    Example:
        >>> parts = [ImageClasses(torch.rand(2, 1, 8, 8), torch.tensor([2]), (name,)) for name in ("cat", "dog", "emu")]
        >>> Splits("animals", *parts)
        Splits(animals: 1 base, 1 validation and 1 novel classes)
    """

    name: str
    base: ImageClasses
    validation: ImageClasses
    novel: ImageClasses

    def __post_init__(self) -> None:
        parts = {"base": self.base, "validation": self.validation, "novel": self.novel}
        for name, part in parts.items():
            if not isinstance(part, ImageClasses):
                raise ValueError(f"{name} must be ImageClasses, got {part!r}")
        check_alike({name: part.images for name, part in parts.items()})
        home: dict[str, str] = {}
        for split, part in parts.items():
            for name in part.names:
                if name in home:
                    raise ValueError(f"class {name!r} is in {home[name]} and in {split}; no class may be in two splits")
                home[name] = split

    def __repr__(self) -> str:
        sizes = f"{len(self.base)} base, {len(self.validation)} validation and {len(self.novel)} novel classes"
        return f"Splits({self.name}: {sizes})"

    def with_rotations(self) -> Splits:
        """Rotations as new classes in every split; the rotations of a class stay in its split.

        Raises:
            ValueError: the images are not square, or were turned before.

        Example:
            >>> parts = [ImageClasses(torch.rand(2, 1, 8, 8), torch.tensor([2]), (name,)) for name in ("a", "b", "c")]
            >>> Splits("letters", *parts).with_rotations()
            Splits(letters: 4 base, 4 validation and 4 novel classes)
        """
        parts = (part.with_rotations() for part in (self.base, self.validation, self.novel))
        return Splits(self.name, *parts)

    def to(self, device: torch.device | str) -> Splits:
        """All three splits on another device.

        Args:
            device: such as "cuda".

        Example:
            >>> parts = [ImageClasses(torch.rand(2, 1, 8, 8), torch.tensor([2]), (name,)) for name in ("a", "b", "c")]
            >>> Splits("letters", *parts).to("cpu").novel.images.device
            device(type='cpu')
        """
        return Splits(self.name, self.base.to(device), self.validation.to(device), self.novel.to(device))
