"""Images and labels as a person gives them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import assert_close
from PIL import Image

from fslbook.data.given import given_images, given_labels, label_array

BYTES = torch.randint(256, (4, 3, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
EXPECTED = BYTES.double() / 255


def pictures(mode: str, images: torch.Tensor) -> list[Image.Image]:
    return [Image.fromarray(x.permute(1, 2, 0).numpy().squeeze(), mode) for x in images]


FORMS = {
    "bytes": BYTES,
    "floats": EXPECTED,
    "half precision": (BYTES.double() / 255).float(),
    "an array": BYTES.numpy(),
    "an array of doubles": EXPECTED.numpy(),
    "other byte order": EXPECTED.numpy().astype(">f8"),
    "long doubles": EXPECTED.numpy().astype(np.longdouble),
    "Fortran order": np.asfortranarray(BYTES.numpy()),
    "a list of tensors": [*BYTES],
    "a list of arrays": [*BYTES.numpy()],
    "a tuple": tuple(EXPECTED),
    "needs a gradient": EXPECTED.clone().requires_grad_(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_images(form: str) -> None:
    x = given_images(FORMS[form])
    assert x.dtype == torch.float32 and x.shape == (4, 3, 6, 5) and not x.requires_grad
    assert_close(x, EXPECTED)


@pytest.mark.parametrize("array", [BYTES.numpy(), EXPECTED.numpy()])
def test_negative_strides_are_followed(array: np.ndarray) -> None:
    assert_close(given_images(array[::-1, :, :, ::-1]), EXPECTED.flip(0, 3))


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
def test_pictures_of_pillow_of_every_mode() -> None:
    grey = BYTES[:, :1]
    assert_close(given_images(pictures("L", grey)), EXPECTED[:, :1])
    assert_close(given_images(pictures("RGB", BYTES)), EXPECTED)
    opaque = torch.full_like(grey, 255)
    assert_close(given_images(pictures("RGBA", torch.cat([BYTES, opaque], dim=1))), EXPECTED)
    clear = torch.full_like(grey, 255)
    clear[:, :, :, 0] = 0  # the first column is transparent, and so white
    x = given_images(pictures("LA", torch.cat([grey, clear], dim=1)))
    assert x.shape == (4, 1, 6, 5)
    assert (x[..., 0] == 1).all()
    assert_close(x[..., 1:], EXPECTED[:, :1, :, 1:])
    black_and_white = [picture.convert("1") for picture in pictures("L", grey)]
    assert set(given_images(black_and_white).unique().tolist()) == {0, 1}


def test_grey_images_get_a_channel() -> None:
    assert given_images(BYTES[:, 0]).shape == given_images([*BYTES[:, 0].numpy()]).shape == (4, 1, 6, 5)


def test_nothing_is_shared() -> None:
    floats = EXPECTED.float()
    for images in (floats, floats.numpy()):
        assert given_images(images).data_ptr() != floats.data_ptr()


def test_labels_of_numpy_and_pytorch_become_plain() -> None:
    for labels in (np.array([3, 1]), torch.tensor([3, 1]), [np.int64(3), np.int8(1)], [torch.tensor(3), 1], (3, 1)):
        plain = given_labels(labels)
        assert plain == [3, 1] and {*map(type, plain)} == {int}
    assert given_labels(np.array(["b", "a"])) == ["b", "a"]
    assert [*map(type, given_labels(np.array(["b", "a"])))] == [str, str]


@pytest.mark.parametrize("labels", [[1, 2], ["a", "bc"], [True, False], [0.5, 1.0]])
def test_plain_labels_stay_arrays_of_numpy(labels: list) -> None:
    assert label_array(labels).dtype.kind == np.asarray(labels).dtype.kind
    assert label_array(labels).tolist() == labels


@pytest.mark.parametrize("labels", [[(1, 2), (3, 4)], [b"a\0", b"b"], [10**30, 1], [frozenset({1}), frozenset()]])
def test_other_labels_are_objects(labels: list) -> None:
    array = label_array(labels)
    assert array.shape == (2,) and [*array] == labels
