"""Omniglot, glyphs and folders of pictures."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bad_input.cases import Refused, Right
from bad_input.data import each
from PIL import Image

from fslbook import ImageClasses, course_dataset, glyphs, image_folder, omniglot
from fslbook.data.omniglot import has_omniglot


def folder(spoil: Callable[[Path], Any] = lambda place: None, **settings: Any) -> Callable[[], ImageClasses]:
    """What `image_folder` makes of cats and dogs after one thing was done to their folder."""

    def read() -> ImageClasses:
        with tempfile.TemporaryDirectory() as place:
            for name in ("cat", "dog"):
                Path(place, name).mkdir()
                Image.new("L", (9, 9), 200).save(Path(place, name, "1.png"))
            spoil(Path(place))
            return image_folder(place, **settings)

    return read


def picture(mode: str, name: str = "2.tif") -> Callable[[Path], Any]:
    return lambda place: Image.new(mode, (9, 9)).save(place / "cat" / name)


def file(name: str, content: bytes = b"") -> Callable[[Path], Any]:
    return lambda place: (place / name).write_bytes(content)


def sub_folder(name: str) -> Callable[[Path], Any]:
    return lambda place: (place / name).mkdir(parents=True)


NO_SPLITS = ["lake", "", None, 0, ["vinyals"], b"vinyals"]
NO_SEEDS = [-1, 0.0, "0", None, True, math.nan, [0], "../0"]
NO_PATHS = [3, False, b"data", ["data"]]
NO_SIZES = [0, -28, 2.5, 28.0, "28", None, True, math.nan, (28, 28)]
NO_PICTURES = [
    b"",
    b"no picture",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"BM",
    b"RIFF\0\0\0\0WEBP",
    b"II*\0\xff\xff\xff\xff",
]
PATH = "must be a path, got"
ROWS: dict[str, Refused | Right] = {
    **each("omniglot, split", NO_SPLITS, omniglot, "unknown Omniglot split .*; known are 'vinyals', 'back"),
    **each("glyphs, seed", NO_SEEDS, lambda v: glyphs(seed=v), "seed must be a whole number of at least 0, got"),
    **each("glyphs, root", NO_PATHS, glyphs, f"root {PATH}"),
    **each("omniglot, root", NO_PATHS, lambda v: omniglot(root=v), f"root {PATH}"),
    **each("has_omniglot, root", NO_PATHS, has_omniglot, f"root {PATH}"),
    **each("course, root", NO_PATHS, course_dataset, f"root {PATH}"),
    **each("folder, path", [*NO_PATHS, None], image_folder, f"path {PATH}"),
    **each("folder, size", NO_SIZES, lambda v: folder(size=v)(), "size must be a whole number of at least 1, got"),
    **each(
        "folder, pictures of mode", ["I", "F", "LAB"], lambda v: folder(picture(v))(), "2.tif has pixels of mode {}, "
    ),
    **each("folder, file", NO_PICTURES, lambda v: folder(file("cat/2.png", v))(), "cat/2.png is not a readable image"),
    "folder, nowhere": Refused(lambda: image_folder("nowhere/at/all"), "nowhere/at/all is not a folder"),
    "folder, a class without files": Refused(folder(sub_folder("emu")), "emu has no images .*it has nothing"),
    "folder, a folder in a class": Refused(folder(sub_folder("cat/wild")), r"cat has sub-folders \(wild\)"),
    "folder, a folder called as a picture": Refused(folder(sub_folder("cat/2.png")), r"cat has sub-folders \(2.png\)"),
    "folder, an invisible picture": Refused(folder(picture("RGBA", "2.png")), "2.png is transparent everywhere"),
    "folder, a link to nowhere": Refused(
        folder(lambda p: (p / "cat/2.png").symlink_to("x")), "2.png is not a readable"
    ),
    "folder, litter": Right(lambda: len(folder(file("cat/._2.png"))().images) == 2),
    "folder, a folder of litter": Right(lambda: folder(sub_folder("__MACOSX/cat"))().names == ("cat", "dog")),
    "folder, NumPy's sizes": Right(lambda: folder(size=np.int64(9))().images.shape == (2, 1, 9, 9)),
    "folder, colours": Right(lambda: folder(size=9, grey=False)().images.eq(200).all()),
}
