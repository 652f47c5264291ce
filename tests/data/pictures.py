"""Picture files for the tests."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fslbook.data.picture import read_picture

SIDE = 8


def save(path: Path, colour: object = 0, size: tuple[int, int] = (28, 28), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)
    return path


def cats_and_dogs(folder: Path) -> Path:
    """Two cats and three dogs of mixed sizes, modes and kinds of file."""
    save(folder / "cat" / "1.png", 10)
    save(folder / "cat" / "2.JPG", 20, size=(40, 90))
    save(folder / "dog" / "a.bmp", (200, 200, 200), mode="RGB")
    save(folder / "dog" / "b.png", 210, size=(5, 5))
    save(folder / "dog" / "c.gif", 1, mode="1")
    return folder


def png(path: Path, depth: int, colour: int, rows: Sequence[bytes], width: int, key: bytes = b"") -> Path:
    """A PNG by hand: of any depth, colour type, and with any transparent colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [
        chunk(b"IHDR", header),
        *([chunk(b"tRNS", key)] if key else []),
        chunk(b"IDAT", pixels),
        chunk(b"IEND", b""),
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def with_tag(path: Path, tag: int, before: int, after: int) -> Path:
    """A TIFF with another number in one of its tags."""
    content, entry = bytearray(path.read_bytes()), struct.pack("<HHIH", tag, 3, 1, before)
    place = content.index(entry)
    content[place + 8 : place + 10] = struct.pack("<H", after)
    path.write_bytes(content)
    return path


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Random bytes."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def read(path: Path, grey: bool = True, size: int = SIDE) -> np.ndarray:
    """[size, size] or [3, size, size]."""
    pixels = read_picture(path, size, grey).numpy()
    return pixels[0] if grey else pixels


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path
