"""FewShotClassifier: one answer for one image, copies, threads, failed fits, and logits that are not finite."""

from __future__ import annotations

import threading
from copy import deepcopy

import numpy as np
import pytest
import torch
from helpers import assert_close, blobs, small_method
from torch import Tensor, nn

from fslbook import (
    MAML,
    Episode,
    FewShotClassifier,
    HyperNetwork,
    InContextLearner,
    LearnedOptimiser,
    MatchingNetwork,
    MetaNetwork,
    MetaSGD,
    NearestNeighbour,
    PrototypicalNetwork,
    Reptile,
    SequenceLearner,
    SiameseNetwork,
)
from fslbook.methods import FewShotMethod
from fslbook.networks.readers import LSTMReader, MemoryReader

CLASSES = blobs(3, 8, noise=0.3)
SUPPORT = torch.cat([CLASSES[i][:2] for i in range(3)])
QUERIES = torch.cat([CLASSES[i][2:] for i in range(3)])
LABELS = ["ant", "ant", "bee", "bee", "cow", "cow"]


def by_batch(n_outputs: int = 3) -> nn.Sequential:
    """A network that normalises by the batch at hand, in evaluation mode too."""
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(4, track_running_stats=False)
    return nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), norm, nn.ReLU(), nn.Flatten(1), nn.Linear(36, n_outputs))


class LessTheMean(nn.Module):
    """A layer of one's own that mixes the images of a batch; nothing in it looks like a batch norm."""

    def forward(self, images: Tensor) -> Tensor:
        flat = images.flatten(1)
        return flat - flat.mean(dim=0)


METHODS = {
    "MAML": lambda: MAML(by_batch(), 0.4, 2),
    "FOMAML": lambda: MAML(by_batch(), 0.4, 2, first_order=True),
    "ANIL": lambda: MAML(by_batch(), 0.4, 2, adapted=("4.",)),
    "Meta-SGD": lambda: MetaSGD(by_batch(), 0.4, 2),
    "Reptile": lambda: Reptile(by_batch(), 0.01, test_steps=5),
    "learned optimiser": lambda: LearnedOptimiser(by_batch(), 2, start_lr=0.4),
    "prototypes": lambda: PrototypicalNetwork(by_batch(8)),
    "matching": lambda: MatchingNetwork(by_batch(8)),
    "siamese": lambda: SiameseNetwork(by_batch(8)),
    "in context": lambda: InContextLearner(by_batch(8), 8, 3, width=8),
    "meta network": lambda: MetaNetwork(by_batch(8), 8, 3, 8),
    "hypernetwork": lambda: HyperNetwork(by_batch(8), 8),
    "lstm": lambda: SequenceLearner(by_batch(8), LSTMReader(8 + 3, 8), 3),
    "memory": lambda: SequenceLearner(by_batch(8), MemoryReader(8 + 3, 8, n_rows=9, width=6, n_heads=1), 3),
    "a layer of one's own": lambda: PrototypicalNetwork(LessTheMean()),
    "running statistics": lambda: small_method(nn.BatchNorm1d(16)),
    "pixels": NearestNeighbour,
}


@pytest.mark.parametrize("name", METHODS)
def test_an_image_has_one_answer_in_whatever_company(name: str) -> None:
    classifier = FewShotClassifier(METHODS[name]()).fit(SUPPORT, LABELS)
    together = classifier.predict_proba(QUERIES)
    alone = np.concatenate([classifier.predict_proba(QUERIES[i : i + 1]) for i in range(len(QUERIES))])
    of_one_class = np.concatenate([classifier.predict_proba(QUERIES[i : i + 6]) for i in range(0, 18, 6)])
    assert_close(alone, together)
    assert_close(of_one_class, together)


@pytest.mark.parametrize("name", ["MAML", "Reptile", "prototypes"])
def test_the_answer_is_that_in_one_batch_with_the_support(name: str) -> None:
    method = METHODS[name]().eval()
    episode = Episode(SUPPORT[None] / 255, torch.tensor([[0, 0, 1, 1, 2, 2]]), QUERIES[None] / 255, None, 3)
    expected = method.with_support(episode)[0].softmax(-1).detach()
    assert_close(FewShotClassifier(method).fit(SUPPORT, LABELS).predict_proba(QUERIES), expected)
    assert not torch.allclose(method(episode)[0].softmax(-1), expected, atol=1e-3)


def test_the_support_is_a_copy() -> None:
    for images in (SUPPORT.numpy() / np.float32(255), SUPPORT / 255, [*(SUPPORT / 255)]):
        labels = np.array(LABELS)
        classifier = FewShotClassifier(NearestNeighbour()).fit(images, labels)
        before = classifier.predict_proba(QUERIES)
        for image in images:
            image[:] = 0
        labels[:] = "cow"
        assert np.array_equal(classifier.predict_proba(QUERIES), before)
        assert classifier.classes_ == ["ant", "bee", "cow"]


@pytest.mark.parametrize("name", ["MAML", "Meta-SGD", "Reptile", "learned optimiser", "memory", "running statistics"])
def test_threads_get_the_answers_of_one_thread_and_leave_the_method(name: str) -> None:
    method = METHODS[name]().train()
    weights = deepcopy(method.state_dict())
    larger = FewShotClassifier(method).fit(QUERIES, [label for label in ("ant", "bee", "cow") for _ in range(6)])
    classifiers = [FewShotClassifier(method).fit(SUPPORT, LABELS), larger]
    expected, wrong = [c.predict_proba(QUERIES[:4]) for c in classifiers], []

    def ask(number: int) -> None:
        for _ in range(25):
            if not np.allclose(classifiers[number % 2].predict_proba(QUERIES[:4]), expected[number % 2], atol=1e-4):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(part.training for part in method.modules())
    assert all(torch.equal(value, weights[key]) for key, value in method.state_dict().items())
    assert all(isinstance(p, nn.Parameter) for p in method.parameters())


@pytest.mark.parametrize(
    "fit",
    [
        lambda c: c.fit(SUPPORT, LABELS[:5]),
        lambda c: c.fit(SUPPORT, ["ant"] * 6),
        lambda c: c.fit(SUPPORT, ["ant", "bee", None, "bee", "cow", "cow"]),
        lambda c: c.fit(SUPPORT.float(), LABELS),
        lambda c: c.fit(torch.zeros(6, 1, 4, 4), LABELS),
    ],
)
def test_a_failed_fit_leaves_everything_as_it_was(fit: object) -> None:
    classifier = FewShotClassifier(small_method())
    with pytest.raises((ValueError, RuntimeError)):
        fit(classifier)
    assert [*vars(classifier)] == ["method"]
    before = classifier.fit(SUPPORT, LABELS).predict_proba(QUERIES)
    with pytest.raises((ValueError, RuntimeError)):
        fit(classifier)
    assert np.array_equal(classifier.predict_proba(QUERIES), before)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_are_refused_by_name(bad: float) -> None:
    method = small_method()
    classifier = FewShotClassifier(method).fit(SUPPORT, LABELS)
    method.encoder[1].weight.data[0, 0] = bad
    message = r"PrototypicalNetwork gives logits that are not finite for image 0: its encoder.1.weight is not finite"
    for ask in (classifier.predict, classifier.predict_proba, lambda x: classifier.score(x, LABELS * 3)):
        with pytest.raises(ValueError, match=message):
            ask(QUERIES)


def test_one_image_whose_logits_are_not_finite_is_named() -> None:
    class OverTheTop(FewShotMethod):
        def forward(self, episode: Episode) -> Tensor:
            logits = torch.zeros(1, episode.query_x.shape[1], episode.n_way)
            logits[:, 4:5] = -torch.inf
            return logits

    classifier = FewShotClassifier(OverTheTop()).fit(SUPPORT[:4], LABELS[:4])
    with pytest.raises(ValueError, match="not finite for image 4: its features may be too large"):
        classifier.predict(QUERIES)


def test_it_can_be_copied_as_scikit_learn_copies() -> None:
    """As `sklearn.base.clone` does: made anew from a deep copy of what `get_params` gives, and nothing fitted."""
    classifier = FewShotClassifier(small_method()).fit(SUPPORT, LABELS)
    params = {name: deepcopy(value) for name, value in classifier.get_params(deep=False).items()}
    clone = type(classifier)(**params)
    assert all(clone.get_params()[name] is value for name, value in params.items())
    with pytest.raises(RuntimeError, match="call fit"):
        clone.predict(QUERIES)
    assert np.array_equal(clone.fit(SUPPORT, LABELS).predict(QUERIES), classifier.predict(QUERIES))
    other = NearestNeighbour()
    assert clone.set_params(method=other) is clone and clone.method is other
    with pytest.raises(RuntimeError, match="call fit"):
        clone.predict(QUERIES)
    with pytest.raises(TypeError):
        clone.set_params(network=other)
