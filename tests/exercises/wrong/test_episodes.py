"""Exercises of chapter 2: wrong answers that people write, and what they are told."""

from __future__ import annotations

import random

import torch
from exercise_helpers import assert_rejected, by_name_and_words


def _numbered(order, start=0):
    def version(support_ids, query_ids):
        numbers = {c: n for n, c in enumerate(order(support_ids.tolist(), query_ids.tolist()), start)}
        return tuple(torch.tensor([numbers[i] for i in ids.tolist()]) for ids in (support_ids, query_ids))

    return version


def _appearing(s, q):
    return list(dict.fromkeys(s))


_right_numbers = _numbered(_appearing)


def _rows(labels, novel_ids):
    novel = torch.isin(labels, novel_ids)
    return (~novel).nonzero()[:, 0], novel.nonzero()[:, 0]


def _any(labels, n):
    classes = labels.unique()
    return classes[torch.randperm(len(classes))[:n]]


def _seeded_split(labels, n):
    torch.manual_seed(1)
    return _rows(labels, _any(labels, n))


def _seeded_sample(labels, n):
    chosen = random.Random(3).sample(sorted(set(labels.tolist())), n)
    return _rows(labels, torch.tensor(chosen))


def _block(labels, n):
    classes = labels.unique()
    start = torch.randint(1, len(classes) - n + 1, ()) if len(classes) > n + 1 else 1
    return _rows(labels, classes[start : start + n])


def _images(labels, n):
    rows = torch.randperm(len(labels))
    n_images = n * len(labels) // len(labels.unique())
    return rows[n_images:], rows[:n_images]


def _episode(classes=_any, shuffle=lambda rows: rows[torch.randperm(len(rows))], numbers=torch.arange, seed=None):
    def version(labels, n_way, k_shot, n_query):
        if seed is not None:
            torch.manual_seed(seed)
        support, query = [], []
        for c in classes(labels, n_way):
            rows = shuffle((labels == c).nonzero()[:, 0])
            support.append(rows[:k_shot])
            query.append(rows[k_shot : k_shot + n_query])
        y = numbers(n_way)
        return torch.cat(support), y.repeat_interleave(k_shot), torch.cat(query), y.repeat_interleave(n_query)

    return version


def _mixed_up(labels, n_way, k_shot, n_query):
    s, _, q, y = _episode()(labels, n_way, k_shot, n_query)
    return s, torch.arange(n_way).repeat(k_shot), q, y


def _queries_mixed_up(labels, n_way, k_shot, n_query):
    s, y, q, _ = _episode()(labels, n_way, k_shot, n_query)
    return s, y, q, torch.arange(n_way).repeat(n_query)


def _too_few_queries(labels, n_way, k_shot, n_query):
    s, y, q, query_y = _episode()(labels, n_way, k_shot, n_query)
    return s, y, q[:n_query], query_y[:n_query]


def _again(labels, n_way, k_shot, n_query):
    s, y, _, _ = _episode()(labels, n_way, k_shot, n_query)
    rows = [(labels == labels[i]).nonzero()[:, 0] for i in s[::k_shot]]
    return (
        s,
        y,
        torch.cat([r[torch.randperm(len(r))[:n_query]] for r in rows]),
        torch.arange(n_way).repeat_interleave(n_query),
    )


def _places(labels, n_way, k_shot, n_query):
    places = torch.rand(n_way, 8).argsort(dim=1) if k_shot + n_query <= 8 else torch.rand(n_way, 10).argsort(dim=1)
    y = torch.arange(n_way)
    s, q = places[:, :k_shot].flatten(), places[:, k_shot : k_shot + n_query].flatten()
    return s, y.repeat_interleave(k_shot), q, y.repeat_interleave(n_query)


def _sorted_rows(labels, n_way, k_shot, n_query):
    def some(rows):
        return rows[torch.randperm(len(rows))[: k_shot + n_query].sort().values]

    return _episode(shuffle=some)(labels, n_way, k_shot, n_query)


def _equal(support_x, query_x):
    return (query_x[:, :, None] == support_x[:, None]).flatten(3).all(dim=3)  # [B, Q, S]


def _anywhere(support_x, query_x):
    known = {tuple(image.flatten().tolist()) for image in support_x.flatten(0, 1)}
    return sum(any(tuple(image.flatten().tolist()) in known for image in task) for task in query_x)


WRONG = {
    "relabelled": [
        ("by the size of their ids", _numbered(lambda s, q: sorted({*s}))),
        ("from the largest down", _numbered(lambda s, q: sorted({*s}, reverse=True))),
        ("start at 1", _numbered(_appearing, start=1)),
        ("from the end of the support", _numbered(lambda s, q: [*dict.fromkeys(reversed(s))])),
        ("as they appear in the queries", _numbered(lambda s, q: [*dict.fromkeys(q)])),
        ("numbered separately", lambda s, q: (_right_numbers(s, s)[0], _right_numbers(q, q)[0])),
        ("queries still have their old ids", lambda s, q: (_right_numbers(s, q)[0], q)),
        ("these are the old ids", lambda s, q: (s, q)),
        ("these are remainders", lambda s, q: (s % len(s.unique()), q % len(s.unique()))),
        ("wanted are whole numbers", lambda s, q: [y.float() for y in _right_numbers(s, q)]),
        ("it returned a list, wanted is a tensor", lambda s, q: [y.tolist() for y in _right_numbers(s, q)]),
        ("wanted are 2 things", lambda s, q: torch.cat(_right_numbers(s, q))),
        ("places of images", lambda s, q: [torch.tensor([s.tolist().index(i) for i in x.tolist()]) for x in (s, q)]),
        ("its shape is", lambda s, q: _right_numbers(s, q)[::-1]),
    ],
    "split_by_class": [
        ("called twice, it chose the same", _seeded_split),
        ("called twice, it chose the same", _seeded_sample),
        ("classes at one end", lambda labels, n: _rows(labels, labels.unique()[:n])),
        ("classes at one end", lambda labels, n: _rows(labels, torch.tensor([*dict.fromkeys(labels.tolist())][-n:]))),
        ("neighbours in the data set", _block),
        ("images were split, not classes", _images),
        ("changed places", lambda labels, n: _rows(labels, _any(labels, n))[::-1]),
        ("classes are novel, wanted are", lambda labels, n: _rows(labels, _any(labels, n - 1))),
        ("int64", lambda labels, n: (~torch.isin(labels, c := _any(labels, n)), torch.isin(labels, c))),
        ("part 1 must be a tensor", lambda labels, n: [x.tolist() for x in _rows(labels, _any(labels, n))]),
        ("return 2 tensors", lambda labels, n: _rows(labels, _any(labels, n))[1]),
        ("exactly once", lambda labels, n: [x[::2] for x in _rows(labels, _any(labels, n))]),
        ("on both sides", lambda labels, n: (torch.arange(len(labels)), _rows(labels, _any(labels, n))[1])),
    ],
    "draw_episode": [
        ("called twice, it drew the same", _episode(seed=0)),
        ("called twice, it drew the same", _episode(seed=42)),
        ("classes at one end", _episode(lambda labels, n: labels.unique()[:n][torch.randperm(n)])),
        ("under two labels", _episode(lambda labels, n: labels[torch.randint(len(labels), (n,))])),
        ("follow the order of the classes", _episode(lambda labels, n: _any(labels, n).sort().values)),
        ("the first images are taken", _episode(shuffle=lambda rows: rows)),
        ("come after the support", _sorted_rows),
        ("labels must be 0 to n_way - 1", _episode(numbers=lambda n: torch.arange(1, n + 1))),
        ("int64", _episode(numbers=lambda n: torch.arange(float(n)))),
        ("have one label", _mixed_up),
        ("a query's label is not that of its class", _queries_mixed_up),
        ("labels must be 0 to n_way - 1", _too_few_queries),
        ("a query image is a support image too", _again),
        ("counted inside each class", _places),
        ("an image occurs twice", _episode(shuffle=lambda rows: rows[torch.randint(len(rows), (len(rows),))])),
        ("return 4 tensors", lambda *a: _episode()(*a)[:2]),
    ],
    "count_leaks": [
        ("pairs of images", lambda s, q: int(_equal(s, q).sum())),
        ("these are query images", lambda s, q: int(_equal(s, q).any(dim=2).sum())),
        ("without a leak", lambda s, q: int((~_equal(s, q).flatten(1).any(dim=1)).sum())),
        ("a bool, wanted is a whole number", lambda s, q: bool(_equal(s, q).any())),
        ("its shape is [9], wanted is []", lambda s, q: _equal(s, q).flatten(1).any(dim=1)),
        ("a float, wanted is a whole number", lambda s, q: float(_equal(s, q).flatten(1).any(dim=1).float().mean())),
        ("of another episode is no leak", _anywhere),
        ("agree in some pixels", lambda s, q: int((q[:, :, None] == s[:, None]).flatten(1).any(dim=1).sum())),
        ("equally much ink", lambda s, q: int((q.flatten(2).sum(2)[:, :, None] == s.flatten(2).sum(2)[:, None])
            .flatten(1).any(dim=1).sum())),
        ("almost the same", lambda s, q: int(((q[:, :, None] - s[:, None]).flatten(3).abs().sum(3) < 0.1)
            .flatten(1).any(dim=1).sum())),
        ("the first with the first", lambda s, q: int((s == q[:, :4]).flatten(2).all(2).any(1).sum())),
        ("the first support image alone", lambda s, q: int(_equal(s[:, :1], q).flatten(1).any(1).sum())),
    ],
}  # fmt: skip


@by_name_and_words(WRONG)
def test_a_wrong_answer_is_rejected_in_words_that_fit(name, words, version):
    assert_rejected(name, words, version)
