"""Read one picture file as bytes 0..255, so that what is black on the screen is 0 and what is white is 255."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, TiffImageFile
from torch import Tensor

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
"""The kinds of files that are read."""

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
"""Pillow's names for them. It knows others, some of which start other programs, and goes by content, not by suffix."""

PLAIN = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV")
TRANSPARENT = ("LA", "PA", "RGBA")
"""Pillow's modes of 8 bits or fewer per channel, without and with transparency."""

DARKEST = 16
"""A 16-bit picture that uses no more than this part of its range, as numbers of 12 bits do, would come out black."""


def read_picture(file: Path, size: int, grey: bool) -> Tensor:
    """One picture, upright, on white where it is transparent, scaled to size×size.

    Grey pictures of 16 bits are scaled by the depth of their format, so that 65,535 becomes 255 (4,095 in a TIFF of
    12 bits): the brightest pixel of a picture says nothing of white, and pictures stay comparable. Whole numbers of
    32 bits and floating-point numbers have no agreed white at all, and are refused.

    Args:
        file: PNG, JPEG, BMP, GIF, WebP or TIFF.
        size: of both sides, in pixels.
        grey: one channel (the luma of ITU-R 601); otherwise three.

    Returns:
        uint8 [C, size, size].

    Raises:
        ValueError: the file is unreadable or damaged, holds more pixels than Pillow's limit against bombs (89 million)
            or several frames, or its numbers have no known white.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "clear.png")
        ...     Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(file)
        ...     try:
        ...         read_picture(file, size=2, grey=True)
        ...     except ValueError as error:
        ...         print(str(error).split("clear.png ")[1])
        is transparent everywhere
    """
    try:
        header, upright, frames = _decode(file)
    except MemoryError:  # not the file's fault
        raise
    except Exception as error:  # nothing but Pillow at work, and damage makes it raise almost anything
        raise ValueError(f"{file} is not a readable image: {str(error) or type(error).__name__}") from error
    if frames > 1:
        raise ValueError(f"{file} has {frames} frames; save the one that you mean as a picture of its own")
    plain = on_white(_in_8_bits(upright, header, file), file)
    small = plain.convert("L" if grey else "RGB").resize((size, size), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.array(small))  # [H, W] or [H, W, 3]
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


def _decode(file: Path) -> tuple[Image.Image, Image.Image, int]:
    """The picture as it is stored, the same held upright, and how many frames there are."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=FORMATS) as image:
            image.verify()  # the checksums of a PNG, which reading alone passes over
        with Image.open(file, formats=FORMATS) as image:
            # The second picture of a telephone's MPO file is a preview or a depth map, not a frame.
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            if frames > 1:
                return image, image, frames
            image.load()
            return image, ImageOps.exif_transpose(image), frames  # telephones store photographs on their side


def _in_8_bits(image: Image.Image, header: Image.Image, file: Path) -> Image.Image:
    """The picture with the numbers of its pixels, and its transparent colour, in 0..255."""
    depth, key = _depth(header, file), image.info.get("transparency")
    if key is not None and image.mode != "P" and depth == 16:
        raise ValueError(f"{file} has 16 bits and a transparent colour; save it with an alpha channel")
    if image.mode.startswith("I;16") or (image.mode == "I" and header.format == "PNG"):  # "I": older Pillows
        return _from_16_bits(image, header, depth, file)
    if key is not None and image.mode in ("1", "L") and depth < 8:  # Pillow spreads the pixels over 0..255, not the key
        image = image.convert("L")
        image.info = {"transparency": 255 * min(key, 1) if depth == 1 else key * 255 // (2**depth - 1)}
    return image


def _depth(header: Image.Image, file: Path) -> int:
    """Bits of each number in the file."""
    if isinstance(header, TiffImageFile):
        return header.tag_v2.get(BITSPERSAMPLE, (1,))[0]
    if header.format == "PNG":
        with file.open("rb") as stream:
            return stream.read(25)[24]  # the header comes first in every PNG
    return 8


def _from_16_bits(image: Image.Image, header: Image.Image, depth: int, file: Path) -> Image.Image:
    white, values = 2**depth - 1, np.asarray(image).astype(np.int64)  # [H, W]
    if isinstance(header, TiffImageFile) and header.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0:
        values = white - values  # "white is zero", which Pillow heeds in 8 bits only
    if 0 < (brightest := int(values.max())) <= white // DARKEST:
        reason = f"its brightest number is {brightest} where white is {white}"
        raise ValueError(f"{file} would come out black, for {reason}; scale it to the full range, or save it in 8 bits")
    return Image.fromarray(((255 * values + white // 2) // white).astype(np.uint8))


def on_white(image: Image.Image, file: Path | str) -> Image.Image:
    """The picture as it looks on white paper.

    Args:
        image: a picture of Pillow with at most 8 bits per channel.
        file: what to call it in a message.

    Raises:
        ValueError: it is transparent everywhere, or its numbers have no known white.

    Example:
        >>> on_white(Image.new("LA", (1, 1), (0, 0)).convert("RGBA").resize((2, 1)), "dot")
        Traceback (most recent call last):
        ValueError: dot is transparent everywhere
    """
    if image.mode not in PLAIN + TRANSPARENT:
        raise ValueError(f"{file} has pixels of mode {image.mode}, whose white is unknown; save it in 8 or 16 bits")
    if image.mode not in TRANSPARENT and "transparency" not in image.info:
        return image
    layer = image.convert("RGBA")
    if layer.getchannel("A").getextrema() == (0, 0):
        raise ValueError(f"{file} is transparent everywhere")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
