"""Other sizes and colours: the right shapes where a size is an argument, and words where an image does not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from fslbook import (
    MAML,
    Conv4,
    Episode,
    MatchingNetwork,
    RelationEncoder,
    RelationNetwork,
    Reptile,
    SiameseNetwork,
    conv_classifier,
)
from fslbook.networks import FullContextEmbedding, RelationModule


def episode(size: int, channels: int) -> Episode:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(1, 3, channels, size, size, generator=generator)
    return Episode(x, torch.tensor([[0, 1, 2]]), x, torch.tensor([[0, 1, 2]]), 3)


SIZES = [(28, 1), (84, 3), (29, 1), (31, 3), (33, 1), (83, 3), (16, 1)]


@pytest.mark.parametrize(("size", "colours"), SIZES)
@pytest.mark.parametrize("adapting", [MAML, Reptile])
def test_a_classifier_for_images_of_any_size(adapting: type[nn.Module], size: int, colours: int) -> None:
    network = conv_classifier(3, colours, channels=4, image_size=size)
    assert torch.isfinite(adapting(network, 0.01, 1, test_steps=1).eval()(episode(size, colours))).all()


@pytest.mark.parametrize(("size", "colours"), SIZES)
def test_relation_networks_for_images_of_any_size(size: int, colours: int) -> None:
    encoder = RelationEncoder(colours, channels=4).eval()
    map_size = encoder(torch.zeros(1, colours, size, size)).shape[-1]
    if map_size < 4:  # 16 pixels: 7, 2
        with pytest.raises(ValueError, match="map_size must be a whole number of at least 4, got 2"):
            RelationModule(4, map_size)
        return
    method = RelationNetwork(encoder, RelationModule(4, map_size)).eval()
    assert method(episode(size, colours)).shape == (1, 3, 3)
    stacked = RelationNetwork(encoder, nn.Sequential(method.relation)).eval()  # without `compare`
    torch.testing.assert_close(stacked(episode(size, colours)), method(episode(size, colours)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "colours"), [(84, 3), (31, 3), (33, 1)])
def test_koch_and_full_context_for_images_of_any_size(size: int, colours: int) -> None:
    encoder = Conv4(colours, channels=4).eval()
    n_features = encoder(torch.zeros(1, colours, size, size)).shape[-1]
    koch = SiameseNetwork(encoder, "cross-entropy", n_features=n_features)
    matching = MatchingNetwork(encoder, context=FullContextEmbedding(n_features, steps=2))
    for method in (koch, matching):
        assert torch.isfinite(method(episode(size, colours))).all()


def images(*shape: int) -> torch.Tensor:
    return torch.zeros(shape)


CALLS: dict[str, tuple[Callable[[], object], str]] = {
    "classifier, larger": (
        lambda: conv_classifier(5)(images(2, 1, 84, 84)),
        r"this conv_classifier needs images \[M, 1, 28, 28\], got \[2, 1, 84, 84\]; .*image_size=",
    ),
    "classifier, colour": (lambda: conv_classifier(5)(images(2, 3, 28, 28)), r"got \[2, 3, 28, 28\]; .*in_channels="),
    "classifier, not square": (lambda: conv_classifier(5)(images(2, 1, 28, 30)), r"got \[2, 1, 28, 30\]"),
    "classifier, no batch": (lambda: conv_classifier(5)(images(1, 28, 28)), r"got \[1, 28, 28\]"),
    "in MAML": (
        lambda: MAML(conv_classifier(3))(episode(84, 3)),
        r"needs images \[M, 1, 28, 28\], got \[3, 3, 84, 84\]",
    ),
    "in MAML, at once": (
        lambda: MAML(conv_classifier(3), form="vmap")(episode(84, 3)),
        r"needs images \[M, 1, 28, 28\], got \[2, 3, 84, 84\]",
    ),
    "relation encoder, colour": (
        lambda: RelationEncoder()(images(2, 3, 28, 28)),
        r"RelationEncoder needs images \[M, 1, H, W\] of at least 10×10, got \[2, 3, 28, 28\]",
    ),
    "relation encoder, small": (
        lambda: RelationEncoder()(images(2, 1, 9, 9)),
        r"at least 10×10, got \[2, 1, 9, 9\]",
    ),
    "relation encoder, no batch": (lambda: RelationEncoder()(images(1, 28, 28)), r"got \[1, 28, 28\]"),
    "relation module, larger": (
        lambda: RelationModule()(images(2, 128, 19, 19)),
        r"RelationModule needs maps .* = \[128, 5, 5\] at the end, got \[2, 128, 19, 19\]; say channels and map_size",
    ),
    "relation module, one map": (
        lambda: RelationModule()(images(2, 64, 5, 5)),
        r"= \[128, 5, 5\] .* got \[2, 64, 5, 5\]",
    ),
    "relation network, larger": (
        lambda: RelationNetwork(RelationEncoder(3, 8), RelationModule(8)).eval()(episode(84, 3)),
        r"= \[8, 5, 5\] at the end, got \[1, 3, 8, 19, 19\]; say channels and map_size",
    ),
    "relation network, other widths": (
        lambda: RelationNetwork(RelationEncoder(channels=8), RelationModule(4)).eval()(episode(28, 1)),
        r"= \[4, 5, 5\] at the end, got \[1, 3, 8, 5, 5\]",
    ),
    "Koch, larger": (
        lambda: SiameseNetwork(Conv4(3), "cross-entropy")(episode(84, 3)),
        "the encoder gives 1600 features, not 64: say SiameseNetwork",
    ),
    "full context, larger": (
        lambda: MatchingNetwork(Conv4(3), context=FullContextEmbedding())(episode(84, 3)),
        r"support must be feature vectors \[B, images, 64\], got \[1, 3, 1600\]; say FullContextEmbedding\(n_features",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_images_that_do_not_fit_are_refused_in_words(name: str) -> None:
    call, message = CALLS[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("value", [0, -1, 2.5, "3", None, float("nan")])
@pytest.mark.parametrize(
    "make",
    [
        lambda v: Conv4(in_channels=v),
        lambda v: Conv4(channels=v),
        lambda v: RelationEncoder(in_channels=v),
        lambda v: RelationEncoder(channels=v),
        lambda v: RelationModule(channels=v),
        lambda v: RelationModule(map_size=v),
        lambda v: conv_classifier(v),
        lambda v: conv_classifier(5, in_channels=v),
        lambda v: conv_classifier(5, channels=v),
        lambda v: conv_classifier(5, image_size=v),
        lambda v: FullContextEmbedding(n_features=v),
    ],
)
def test_sizes_that_are_no_sizes_are_refused(make: Callable[[object], nn.Module], value: object) -> None:
    with pytest.raises(ValueError, match=r"must be a whole number of at least (1|4|16), got"):
        make(value)


def test_weights_have_the_names_they_always_had() -> None:
    names = [*conv_classifier(5).state_dict()]
    assert names[:2] + names[-2:] == ["body.0.0.weight", "body.0.0.bias", "head.weight", "head.bias"]
    assert [*RelationModule().state_dict()][-4:] == ["3.weight", "3.bias", "5.weight", "5.bias"]
    assert {name.split(".")[0] for name in FullContextEmbedding().state_dict()} == {"support_lstm", "query_lstm"}
    half = conv_classifier(5)[:1]  # a part of it is a network as well, and checks nothing
    assert half(images(2, 1, 84, 84)).shape == (2, 1600)
