"""The code on each cheat-sheet runs as printed and gives what the package gives."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers import numbered_classes
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from fslbook import (
    MAML,
    Conv4,
    Episode,
    MadeUpTasks,
    MatchingNetwork,
    PrototypicalNetwork,
    RelationEncoder,
    RelationNetwork,
    Reptile,
    RidgeRegression,
    SiameseNetwork,
    SimpleShot,
    SoftKMeans,
    conv_classifier,
    random_affine,
)
from fslbook.methods.active.pool import Pool
from fslbook.methods.active.scores import entropy, smallest_margin, typicality
from fslbook.methods.active.strategies import k_centre
from fslbook.methods.memory.meta_networks import layer_gradients
from fslbook.methods.optimisation.reptile import minibatches
from fslbook.methods.unlabelled.label_propagation import affinities, normalised, propagate
from fslbook.networks import RelationModule, memory
from fslbook.networks.attention import LinearAttention, PairTransformer
from fslbook.networks.contrast import nt_xent
from fslbook.networks.fast_weights import WeightWriter, log_and_sign
from fslbook.networks.gate_cell import GateCell

SHEETS = sorted((Path(__file__).resolve().parents[2] / "book" / "cheat-sheets").glob("*.md"))
N_WAY, INNER_LR = 3, 0.1
close = partial(torch.testing.assert_close, rtol=1e-3, atol=1e-5)


def _codes(name):
    (text,) = [file.read_text(encoding="utf-8") for file in SHEETS if file.stem == name]
    return re.findall(r"```python\n(.*?)```", text, re.S)


def _episode(labels=(2, 0, 1, 2, 1, 2)):
    """One 3-way task of six support images; by default its classes have 1, 2 and 3 of them, in no order."""
    torch.manual_seed(0)
    support_y, query_y = torch.tensor([labels]), torch.tensor([[1, 0, 2, 0, 1]])
    return Episode(torch.rand(1, 6, 1, 28, 28), support_y, torch.rand(1, 5, 1, 28, 28), query_y, N_WAY)


def _run(code, episode=None, **names):
    """The names that the code defines, given what a sheet takes for granted."""
    episode = episode or _episode()
    task = {part: getattr(episode, part)[0] for part in ("support_x", "support_y", "query_x", "query_y")}
    tools = {"torch": torch, "F": F, "functional_call": functional_call, "deepcopy": deepcopy}
    space = {**tools, **task, "n_way": N_WAY, **names}
    exec(code, space)
    return space


def _encoder(kind=Conv4):
    torch.manual_seed(1)
    return kind(channels=8)


def _gradients(value, module):
    return torch.autograd.grad(value, [*module.parameters()])


MODES = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


@MODES
def test_siamese(training):
    method = SiameseNetwork(_encoder(), margin=2.0).train(training)
    (code,) = _codes("siamese")
    ours = _run(code, encoder=method.encoder, margin=2.0)
    close(ours["loss"], method.loss(_episode()))
    close(ours["logits"], method(_episode())[0])


@MODES
def test_prototypical(training):
    method = PrototypicalNetwork(_encoder()).train(training)
    (code,) = _codes("prototypical")
    ours = _run(code, encoder=method.encoder)
    close(ours["loss"], method.loss(_episode()))
    close(ours["logits"], method(_episode())[0])
    assert torch.equal(ours["answers"], method(_episode())[0].argmax(-1))


@MODES
def test_matching(training):
    method = MatchingNetwork(_encoder(), scale=20.0).train(training)
    (code,) = _codes("matching")
    ours = _run(code, encoder=method.encoder, scale=20.0)
    close(ours["loss"], method.loss(_episode()))
    close(ours["p"], method(_episode())[0].softmax(-1))


@MODES
def test_relation(training):
    method = RelationNetwork(_encoder(RelationEncoder), RelationModule(channels=8)).train(training)
    (code,) = _codes("relation")
    even = _episode(labels=(2, 0, 1, 2, 1, 0))  # where classes are uneven, the package adds up no maps
    ours = _run(code, even, encoder=method.encoder, relation=method.relation)
    close(ours["loss"], method.loss(even))
    close(ours["r"], method(even)[0].sigmoid())


def _with_steps(code, steps):
    """Lines 2 to 4 of the sheet, repeated."""
    first, *inner, last = code.strip().splitlines()
    return "\n".join([first, *(inner * steps), last])


def _network():
    torch.manual_seed(2)
    return conv_classifier(N_WAY, channels=8).double()


def _doubled():
    task = _episode()
    return {"support_x": task.support_x[0].double(), "query_x": task.query_x[0].double()}


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize(("sheet", "first_order"), [("maml", False), ("first-order", True)])
def test_maml_and_its_first_order_version(sheet, first_order, steps):
    method = MAML(_network(), INNER_LR, steps, first_order=first_order)
    code = _with_steps(_codes(sheet)[0], steps)
    ours = _run(code, network=method.network, inner_lr=INNER_LR, **_doubled())["loss"]
    task = _episode()
    task = Episode(task.support_x.double(), task.support_y, task.query_x.double(), task.query_y, N_WAY)
    theirs = method.loss(task)
    torch.testing.assert_close(ours, theirs)
    for mine, expected in zip(_gradients(ours, method), _gradients(theirs, method), strict=True):
        torch.testing.assert_close(mine, expected)


def test_the_two_orders_differ():
    network = _network()
    gradients = []
    for sheet in ("maml", "first-order"):
        loss = _run(_codes(sheet)[0], network=network, inner_lr=INNER_LR, **_doubled())["loss"]
        gradients.append(torch.cat([g.flatten() for g in _gradients(loss, network)]))
    assert (gradients[0] - gradients[1]).norm() > 0.01 * gradients[0].norm()


def test_reptile():
    """Three tasks in a row, for Adam's second moments go on from one to the next."""
    method = Reptile(conv_classifier(N_WAY, channels=8), 1e-3, inner_steps=4, inner_batch=5)
    network, before = deepcopy(method.network), deepcopy(method.network)
    tasks = [_episode(labels) for labels in ((2, 0, 1, 2, 1, 2), (0, 1, 2, 0, 1, 2), (1, 1, 0, 2, 0, 2))]
    torch.manual_seed(3)
    batches = [_minibatches(task) for task in tasks]
    _run(
        _codes("first-order")[1],
        network=network,
        inner_lr=1e-3,
        tasks=batches,
        outer=torch.optim.SGD(network.parameters(), lr=0.5),
    )
    torch.manual_seed(3)
    outer = torch.optim.SGD(method.parameters(), lr=0.5)
    for task in tasks:
        outer.zero_grad()
        method.loss(task).backward()
        outer.step()
    for mine, expected, old in zip(*(net.parameters() for net in (network, method.network, before)), strict=True):
        assert (expected != old).any()
        torch.testing.assert_close(mine - old, expected - old, rtol=1e-3, atol=1e-6)


def _minibatches(task):
    x, y = torch.cat([task.support_x[0], task.query_x[0]]), torch.cat([task.support_y[0], task.query_y[0]])
    return [(x[rows], y[rows]) for rows in minibatches(len(x), 5, 4)]


@pytest.mark.parametrize("file", SHEETS, ids=lambda file: file.stem)
def test_a_sheet_has_its_parts_and_no_more_than_five_lines_of_code(file):
    text = file.read_text(encoding="utf-8")
    code, *_ = _codes(file.stem)
    assert len(code.strip().splitlines()) <= 5
    assert all(len(line) <= 100 for line in code.splitlines())
    for part in ("## Equations", "## Shapes", "## Five lines", "## Use it when", "## Traps", "$$"):
        assert part in text


def test_transfer():
    task, encoder = _episode(), _encoder().eval()
    names = {"encoder": encoder, "penalty": 0.5}
    code = _codes("transfer")[0].splitlines()
    first = _run("\n".join(code[:3]), task, **names)["logits"]
    close(first, SimpleShot(encoder)(task)[0])
    unit = nn.Sequential(encoder, Unit())
    close(_run("\n".join(code), task, **names)["logits"], RidgeRegression(unit, penalty=0.5)(task)[0])


def test_active():
    z, labelled, k = torch.randn(9, 4), torch.tensor([2, 5]), 3
    pool = Pool(z, labelled, torch.tensor([0, 1]), n_way=2)
    p = pool.logits(z).softmax(dim=1)
    ours = _run(_codes("active")[0], p=p, z=z, labelled=labelled, k=k)
    close(ours["margin"], smallest_margin(p))
    close(ours["entropy"], entropy(p))
    close(ours["typical"], typicality(z, k))
    assert ours["gap"].argmax() == k_centre(pool, 1, torch.Generator())


class Unit(nn.Module):
    def forward(self, x):
        return nn.functional.normalize(x, dim=1)


def test_without_labels():
    torch.manual_seed(0)
    first, second = torch.randn(2, 6, 5)
    data = SimpleNamespace(base=numbered_classes([20] * 3))
    fsl = SimpleNamespace(MadeUpTasks=MadeUpTasks, random_affine=random_affine)
    names = {"first": first, "second": second, "temperature": 0.2, "data": data, "fsl": fsl}
    space = _run(_codes("without-labels")[0], **names)
    close(space["loss"], nt_xent(first, second, 0.2))
    assert space["tasks"].sample().query_x.shape[:2] == (1, 75)


def test_semi_supervised():
    torch.manual_seed(0)
    x, u, labels = torch.randn(4, 5), torch.randn(6, 5), torch.tensor([2, 0, 1, 2])
    own = F.one_hot(labels, 3).float()
    w, y = affinities(u[None], width=0.3)[0].float(), torch.eye(6)[:, :3]
    start = own.T @ x / own.sum(0)[:, None]
    names = {"x": x, "u": u, "own": own, "c": start, "steps": 3, "scale": 0.4, "w": w, "y": y, "alpha": 0.8}
    ours = _run(_codes("semi-supervised")[0], **names)
    task = Episode(x[None], labels[None], x[None], None, 3, unlabelled_x=u[None])
    close(ours["c"], SoftKMeans(nn.Identity(), 3, 0.4).refined(task)[0])
    close(ours["f"], propagate(normalised(w[None]), y[None], 0.8)[0])


def test_memory():
    """Five steps in a row, for the usage decides only later where is written."""
    torch.manual_seed(0)
    space = {"rows": torch.randn(4, 3), "usage": torch.rand(4), "last": torch.rand(4).softmax(0)}
    state = memory.MemoryState(*(part[None] for part in (space["rows"], space["usage"], space["last"][None])))
    for _ in range(5):
        key, gate = torch.randn(3), torch.randn(())
        space = _run(_codes("memory")[0], **{**space, "key": key, "gate": gate, "sharpness": 6.0})
        read, state = memory.step(key[None, None], gate[None, None], state, sharpness=6.0)
        close(space["vector"], read[0, 0])
        close(space["rows"], state.rows[0])
        space = {"rows": space["rows"], "usage": space["usage"], "last": space["read"]}
    close(space["usage"], state.usage[0])


def test_in_context():
    torch.manual_seed(0)
    net = PairTransformer(5, 3, width=8, n_heads=2)
    x, queries, y = torch.randn(4, 5), torch.randn(6, 5), F.one_hot(torch.tensor([2, 0, 1, 2]), 3).float()
    layers = [lambda t, c, layer=layer: layer(t[None], c[None])[0] for layer in net.layers]  # without a batch
    parts = {"read_x": net.read_x, "read_y": net.read_y, "layers": layers, "answer": net.answer}
    ours = _run(_codes("in-context")[0], x=x, y=y, queries=queries, lr=0.3, **parts)
    close(ours["logits"], net(x[None], y[None], queries[None])[0])
    close(ours["one_step"], LinearAttention(5, 3).gradient_step(lr=0.3)(x[None], y[None], queries[None])[0])


def test_generated_weights():
    torch.manual_seed(0)
    first, last, write = nn.Linear(5, 4), nn.Linear(4, N_WAY), WeightWriter()
    x, y, keys, asked = torch.randn(4, 5), torch.tensor([2, 0, 1, 2]), torch.randn(4, 3), torch.randn(6, 3)
    names = {"x": x, "y": y, "first": first, "last": last, "write": write, "keys": keys, "asked": asked}
    ours = _run(_codes("generated-weights")[0], **names)
    message = layer_gradients(x[None], y[None], first, last)[1][0]  # [S, N, H]
    close(ours["fast"], write(message))
    cosines = [F.cosine_similarity(keys, query[None]) for query in asked]  # [S] each
    mixed = [sum(a * one for a, one in zip(c.softmax(0), write(message), strict=True)) for c in cosines]
    close(ours["mixed"], torch.stack(mixed))


def test_learned_optimiser():
    """Two steps in a row, since a gate is handed on before its sigmoid."""
    torch.manual_seed(0)
    cell, theta = GateCell(n_hidden=4), torch.randn(6)
    for p in cell.parameters():
        nn.init.normal_(p)
    state, steps = cell.start(theta), torch.randn(2, 2, 6)
    parts = {"log_and_sign": log_and_sign, "lstm": cell.lstm, "forget": cell.forget, "step": cell.step}
    ours = {"theta": theta, **dict(zip("hcfi", state, strict=True))}
    for gradient, loss in zip(*steps, strict=True):
        ours = _run(_codes("learned-optimiser")[0], **{**ours, **parts, "gradient": gradient, "loss": loss})
        forget, step, state = cell(gradient, loss, theta, state)
        theta = forget * theta - step * gradient
        close(ours["theta"], theta)


def test_there_is_a_sheet_for_each_method():
    """Each is run by a test of this file under its name."""
    tests = Path(__file__).read_text(encoding="utf-8")
    assert {"siamese", "prototypical", "matching", "relation", "maml", "first-order"} < {file.stem for file in SHEETS}
    assert [file.stem for file in SHEETS if f'"{file.stem}"' not in tests.partition("def test_there_is")[0]] == []
