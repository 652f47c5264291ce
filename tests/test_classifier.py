"""FewShotClassifier: few-shot learning in scikit-learn's manner."""

from __future__ import annotations

import datetime
import enum

import numpy as np
import pytest
import torch
from helpers import assert_close, blobs, devices, small_method
from torch import nn

from fslbook import Episode, FewShotClassifier, ImageClasses, NearestNeighbour, PrototypicalNetwork


def some_images() -> tuple[torch.Tensor, torch.Tensor]:
    """Five support images of three classes (two, one and two), and two queries of each class, as bytes."""
    classes = blobs(3, 5, noise=0.05)
    support = torch.stack([classes[2][0], classes[0][0], classes[2][1], classes[1][0], classes[0][1]])
    return support, torch.cat([classes[i][3:] for i in range(3)])


LABELS = ["zebra", "cat", "zebra", "dog", "cat"]
TRUTH = ["cat", "cat", "dog", "dog", "zebra", "zebra"]


@pytest.mark.parametrize("device", devices())
@pytest.mark.parametrize("method", [NearestNeighbour, small_method])
def test_predicts_easy_images_with_uneven_support(method: type[nn.Module], device: str) -> None:
    support, queries = some_images()
    classifier = FewShotClassifier(method().to(device)).fit(support, LABELS)
    assert classifier.predict(queries).tolist() == TRUTH
    assert classifier.score(queries, TRUTH) == 1.0
    assert classifier.score(queries, ["cat"] * 6) == pytest.approx(2 / 6)


class Animal(enum.Enum):
    CAT, DOG, ZEBRA = "c", "d", "z"


DAYS = [datetime.date(2024, 5, day) for day in (9, 7, 9, 8, 7)]
KINDS = {
    "names": LABELS,
    "an array of names": np.array(LABELS),
    "numbers": [2, 0, 2, 1, 0],
    "a tensor": torch.tensor([9, -3, 9, 4, -3]),
    "numbers in tensors": [torch.tensor(9), torch.tensor(-3), torch.tensor(9), torch.tensor(4), torch.tensor(-3)],
    "floats": [2.5, -1.0, 2.5, 0.0, -1.0],
    "large numbers": [10**30, 1, 10**30, 2, 1],
    "tuples": [("b", 2), ("a", 1), ("b", 2), ("a", 2), ("a", 1)],
    "dates": DAYS,
    "dates of NumPy": np.array(DAYS, dtype="datetime64[ns]"),
    "bytes": [b"z\0", b"c", b"z\0", b"d", b"c"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_any_kind_come_back_as_given_and_are_sorted(kind: str) -> None:
    support, queries = some_images()
    classifier = FewShotClassifier(NearestNeighbour()).fit(support, KINDS[kind])
    given = [label.item() if isinstance(label, torch.Tensor) else label for label in KINDS[kind]]
    names = sorted(set(given))
    assert classifier.classes_ == names
    predicted = classifier.predict(queries)
    assert predicted.shape == (6,)
    assert [*predicted] == [name for name in names for _ in range(2)]
    assert classifier.score(support, KINDS[kind]) == 1.0


def test_labels_without_an_order_stand_as_they_came() -> None:
    support, queries = some_images()
    labels = [Animal.ZEBRA, Animal.CAT, Animal.ZEBRA, Animal.DOG, Animal.CAT]
    classifier = FewShotClassifier(NearestNeighbour()).fit(support, labels)
    assert classifier.classes_ == [Animal.ZEBRA, Animal.CAT, Animal.DOG]
    assert [*classifier.predict(queries)[::2]] == [Animal.CAT, Animal.DOG, Animal.ZEBRA]


def test_bytes_floats_arrays_and_grey_images_are_the_same() -> None:
    support, queries = some_images()
    floats = support.double() / 255, queries.double() / 255
    forms = [
        (support, queries),
        (support.numpy(), queries.numpy()),
        floats,
        (floats[0].numpy(), floats[1].float().numpy()),
        (support[:, 0], queries[:, 0].numpy()),
    ]
    results = [FewShotClassifier(NearestNeighbour()).fit(s, LABELS).predict_proba(q) for s, q in forms]
    for result in results:
        assert_close(result, results[0])


def test_probabilities_are_the_softmax_of_the_logits_in_the_order_of_the_classes() -> None:
    support, queries = some_images()
    method = small_method().eval()
    classifier = FewShotClassifier(method).fit(support, LABELS)
    order = {"cat": 0, "dog": 1, "zebra": 2}
    support_y, query_y = torch.tensor([[order[name] for name in LABELS]]), torch.zeros(1, 6, dtype=torch.int64)
    logits = (
        method(Episode(support[None] / 255, support_y, queries[None] / 255, query_y, 3))[0].detach().double().numpy()
    )
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = classifier.predict_proba(queries)
    assert probabilities.shape == (6, 3)
    assert_close(probabilities, shifted / shifted.sum(axis=1, keepdims=True))
    assert np.array_equal(classifier.predict(queries), np.array(["cat", "dog", "zebra"])[probabilities.argmax(axis=1)])


def test_each_query_is_judged_by_itself() -> None:
    support, queries = some_images()
    classifier = FewShotClassifier(small_method(nn.BatchNorm1d(16))).fit(support, LABELS)
    together = classifier.predict_proba(queries)
    assert_close(np.concatenate([classifier.predict_proba(queries[i : i + 1]) for i in range(6)]), together)


def test_predicting_changes_neither_mode_nor_gradients_nor_the_method() -> None:
    support, queries = some_images()
    method = small_method(nn.BatchNorm1d(16), nn.Dropout(0.9)).train()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    classifier = FewShotClassifier(method).fit(support, LABELS)
    first, second = classifier.predict_proba(queries), classifier.predict_proba(queries)
    assert np.array_equal(first, second)  # no dropout
    assert method.training
    assert all(torch.equal(value, before[name]) for name, value in method.state_dict().items())
    assert all(p.grad is None for p in method.parameters())


def test_fitting_again_forgets_the_first_support() -> None:
    support, queries = some_images()
    classifier = FewShotClassifier(NearestNeighbour()).fit(support, LABELS).fit(support[:2], ["z", "c"])
    assert classifier.classes_ == ["c", "z"]
    assert set(classifier.predict(queries)) <= {"c", "z"}


def test_no_queries_give_no_predictions() -> None:
    support, queries = some_images()
    assert FewShotClassifier(NearestNeighbour()).fit(support, LABELS).predict(queries[:0]).shape == (0,)


@pytest.mark.parametrize("ask", ["predict", "predict_proba"])
def test_predict_before_fit_is_refused(ask: str) -> None:
    with pytest.raises(RuntimeError, match=r"call fit\(images, labels\) before predict"):
        getattr(FewShotClassifier(NearestNeighbour()), ask)(some_images()[1])


def test_wrong_number_of_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="5 images but 4 labels"):
        FewShotClassifier(NearestNeighbour()).fit(some_images()[0], LABELS[:4])
    classifier = FewShotClassifier(NearestNeighbour()).fit(some_images()[0], LABELS)
    with pytest.raises(ValueError, match="6 images but 5 labels"):
        classifier.score(some_images()[1], TRUTH[:5])


def test_a_single_class_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two classes, the labels name 1"):
        FewShotClassifier(NearestNeighbour()).fit(some_images()[0], ["cat"] * 5)
    with pytest.raises(ValueError, match="at least two classes, the labels name 0"):
        FewShotClassifier(NearestNeighbour()).fit(some_images()[0][:0], [])


def test_queries_of_another_size_are_refused() -> None:
    classifier = FewShotClassifier(NearestNeighbour()).fit(some_images()[0], LABELS)
    with pytest.raises(ValueError, match=r"support images have shape \[1, 8, 8\], query images \[1, 9, 8\]"):
        classifier.predict(torch.zeros(2, 1, 9, 8))


def test_a_class_folder_can_be_given_as_it_is() -> None:
    classes = ImageClasses(*(getattr(blobs(3, 4, noise=0.05), part) for part in ("images", "counts", "names")))
    names = [classes.names[label] for label in classes.labels]
    classifier = FewShotClassifier(PrototypicalNetwork(nn.Flatten(1))).fit(classes.images, names)
    assert classifier.score(classes.images, names) == 1.0
