"""A check of chapter 2's exercises: an episode, drawn as it should be."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fslbook.exercises.engine.exercise import Case, Exercise, Mistake
from fslbook.exercises.episodes.labels import at_one_end, class_ids, not_rows, shuffled

Rows = tuple[Tensor, Tensor, Tensor, Tensor]


def _draw_task(n_classes: int, n_way: int, k_shot: int, n_query: int, uneven: bool = False) -> Any:
    return lambda generator: (class_ids(n_classes, uneven, generator), n_way, k_shot, n_query)


def _episode_fault(answer: Any, labels: Tensor, n_way: int, k_shot: int, n_query: int) -> str | None:
    if fault := not_rows(answer, 4, len(labels)):
        return fault
    support, support_y, query, query_y = (x.cpu() for x in answer)
    for name, rows, y, n in (("support", support, support_y, k_shot), ("query", query, query_y, n_query)):
        if {*y.tolist()} != {*range(n_way)}:
            return f"the {name} labels must be 0 to n_way - 1"
        if len(rows) != len(y) or y.bincount().tolist() != [n] * n_way:
            return f"wanted are {n} {name} images of each class, and a label for each of them"
    return _rule_broken(labels.cpu(), support, support_y, query, query_y) or _left_to_habit(
        labels.cpu(), support, support_y, query
    )


def _same_images(first: Any, second: Any, *rest: Any) -> str | None:
    if {*first[0].tolist()} != {*second[0].tolist()}:
        return None
    return "called twice, it drew the same support images: chance must decide anew, so set no seed inside the function"


def _rule_broken(ids: Tensor, support: Tensor, support_y: Tensor, query: Tensor, query_y: Tensor) -> str | None:
    if len(ids) > max(int(support.max()), int(query.max())) + 1 <= int(ids.unique(return_counts=True)[1].max()):
        return "the rows are counted inside each class; asked are rows of the whole data set"
    pairs = {*zip(ids[support].tolist(), support_y.tolist(), strict=True)}
    if len(pairs) > len({label for _, label in pairs}):
        return "support images of two classes have one label"
    if len({class_id for class_id, _ in pairs}) < len(pairs):
        return "a class occurs under two labels"
    if not {*zip(ids[query].tolist(), query_y.tolist(), strict=True)} <= pairs:
        return "a query's label is not that of its class in the support"
    if len({*support.tolist()}) < len(support) or len({*query.tolist()}) < len(query):
        return "an image occurs twice"
    return "a query image is a support image too" if {*support.tolist()} & {*query.tolist()} else None


def _left_to_habit(ids: Tensor, support: Tensor, support_y: Tensor, query: Tensor) -> str | None:
    """What chance does less than once in a million times; told only where there are enough classes."""
    if fault := at_one_end(ids, ids[support].unique()):
        return fault
    if len(ids.unique()) < 40:
        return None
    images = [((ids == c).nonzero()[:, 0], support[ids[support] == c], query[ids[query] == c]) for c in ids[support]]
    by_label = ids[support[support_y.argsort(stable=True)]].unique_consecutive().tolist()
    for order in (ids.unique().tolist(), list(dict.fromkeys(ids.tolist()))):
        places = [order.index(c) for c in by_label]
        if places in (sorted(places), sorted(places, reverse=True)):
            return "the labels follow the order of the classes; chance must decide which class is number 0"
    if all(torch.cat([s, q]).max() <= rows[5] for rows, s, q in images):
        return "of every class the first images are taken; chance must choose them"
    if all(s.max() < q.min() for _, s, q in images):
        return "in every class the queries come after the support in the data set; chance must choose"
    return None


def _rows_drawn(
    labels: Tensor, n_way: int, k_shot: int, n_query: int, *, chosen: Tensor | None = None, order: Any = shuffled
) -> Rows:
    chosen = shuffled(labels.unique())[:n_way] if chosen is None else chosen
    picked = [order((labels == c).nonzero()[:, 0]) for c in chosen]
    y = torch.arange(n_way, device=labels.device)
    support, query = ([x[part] for x in picked] for part in (slice(k_shot), slice(k_shot, k_shot + n_query)))
    return torch.cat(support), y.repeat_interleave(k_shot), torch.cat(query), y.repeat_interleave(n_query)


def _class_twice(labels: Tensor, n_way: int, k_shot: int, n_query: int) -> Rows:
    classes = labels.unique()
    return _rows_drawn(labels, n_way, k_shot, n_query, chosen=classes[torch.randint(len(classes), (n_way,))])


def _independent(labels: Tensor, n_way: int, k_shot: int, n_query: int) -> Rows:
    chosen = shuffled(labels.unique())[:n_way]
    support, support_y, _, _ = _rows_drawn(labels, n_way, k_shot, n_query, chosen=chosen)
    query, query_y, _, _ = _rows_drawn(labels, n_way, n_query, k_shot, chosen=chosen)
    return support, support_y, query, query_y


def _with_ids(labels: Tensor, n_way: int, k_shot: int, n_query: int) -> Rows:
    support, _, query, _ = _rows_drawn(labels, n_way, k_shot, n_query)
    return support, labels[support], query, labels[query]


def _sorted_rows(labels: Tensor, n_way: int, k_shot: int, n_query: int) -> Rows:
    def order(rows: Tensor) -> Tensor:
        return shuffled(rows)[: k_shot + n_query].sort().values

    return _rows_drawn(labels, n_way, k_shot, n_query, order=order)


def _seeded(*arguments: Any) -> Rows:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return _rows_drawn(*arguments)


def _in_order(labels: Tensor, n_way: int, k_shot: int, n_query: int) -> Rows:
    chosen = shuffled(labels.unique())[:n_way].sort().values
    return _rows_drawn(labels, n_way, k_shot, n_query, chosen=chosen)


def _within_classes(labels: Tensor, n_way: int, k_shot: int, n_query: int) -> Rows:
    y, n = torch.arange(n_way), k_shot + n_query
    rows = torch.stack([torch.randperm(n) for _ in range(n_way)])
    support, query = rows[:, :k_shot].flatten(), rows[:, k_shot:].flatten()
    return support, y.repeat_interleave(k_shot), query, y.repeat_interleave(n_query)


draw_episode = Exercise(
    "draw_episode",
    _rows_drawn,
    {
        "5-way 1-shot": Case(_draw_task(30, 5, 1, 3), _episode_fault),
        "uneven classes in any order": Case(_draw_task(30, 20, 3, 5, uneven=True), _episode_fault),
        "every class and every image": Case(_draw_task(12, 12, 4, 6), _episode_fault, again=_same_images),
        "left to chance": Case(_draw_task(45, 20, 1, 4), _episode_fault),
    },
    [
        Mistake(_class_twice, "a class occurs under two labels"),
        Mistake(_independent, "a query image is a support image too"),
        Mistake(
            lambda *a: _rows_drawn(*a, order=lambda rows: rows[torch.randint(len(rows), (len(rows),))]),
            "an image occurs twice",
        ),
        Mistake(_seeded, "called twice, it drew the same support images"),
        Mistake(_in_order, "the labels follow the order of the classes; chance must decide which class is number 0"),
        Mistake(_within_classes, "the rows are counted inside each class; asked are rows of the whole data set"),
        Mistake(_with_ids, "the support labels must be 0 to n_way - 1"),
        Mistake(
            lambda labels, n_way, *rest: _rows_drawn(labels, n_way, *rest, chosen=labels.unique()[:n_way]),
            "the classes at one end are taken; chance must choose them",
        ),
        Mistake(
            lambda *a: _rows_drawn(*a, order=lambda rows: rows),
            "of every class the first images are taken; chance must choose them",
        ),
        Mistake(
            _sorted_rows,
            "in every class the queries come after the support in the data set; chance must choose",
        ),
    ],
)
