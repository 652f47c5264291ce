"""The same work done by other libraries, each with its own sampler, loader and method."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import nn
from torch.nn import functional as F

from fslbook import Episode, ImageClasses


def is_here(name: str) -> bool:
    """Whether this library can be imported."""
    return find_spec(name) is not None


def easyfsl_training(
    classes: ImageClasses, encoder: nn.Module, n_way: int, k_shot: int, n_query: int
) -> Callable[[int], None]:
    """Training steps of easyfsl's PrototypicalNetworks on images held in memory as float tensors."""
    from easyfsl.datasets import WrapFewShotDataset
    from easyfsl.methods import PrototypicalNetworks
    from easyfsl.samplers import TaskSampler
    from torch.utils.data import DataLoader, Sampler, TensorDataset

    class AcceptsDataSource(Sampler):
        """easyfsl 1.5 hands its base class an argument that newer versions of torch do not take any more."""

        def __init__(self, data_source: None = None) -> None:
            super().__init__()

    class Tasks(TaskSampler, AcceptsDataSource):
        """easyfsl's sampler, otherwise as it is."""

    device = classes.images.device
    images, labels = (classes.images.float() / 255).cpu(), classes.labels.cpu()
    dataset = WrapFewShotDataset(TensorDataset(images, labels))
    dataset.labels = labels.tolist()  # plain numbers, as its sampler expects of a data set of its own
    method = PrototypicalNetworks(encoder).to(device).train()
    optimizer = torch.optim.Adam(method.parameters())

    def steps(n: int) -> None:
        sampler = Tasks(dataset, n_way=n_way, n_shot=k_shot, n_query=n_query, n_tasks=n)
        for batch in DataLoader(dataset, batch_sampler=sampler, collate_fn=sampler.episodic_collate_fn):
            support_x, support_y, query_x, query_y = (tensor.to(device) for tensor in batch[:4])
            method.process_support_set(support_x, support_y)
            loss = F.cross_entropy(method(query_x), query_y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    return steps


def torchopt_meta_gradient(network: nn.Module, episode: Episode, inner_lr: float) -> Callable[[], None]:
    """Second-order MAML with one inner step, as in torchopt's own few-shot example."""
    import torchopt

    inner = torchopt.MetaSGD(network, lr=inner_lr)

    def fill_gradients() -> None:
        network.zero_grad(set_to_none=True)
        start = torchopt.extract_state_dict(network, by="reference", detach_buffers=True)
        inner_start, losses = torchopt.extract_state_dict(inner, by="reference"), []
        for task in episode.tasks():
            inner.step(F.cross_entropy(network(task.support_x[0]), task.support_y[0]))
            losses.append(F.cross_entropy(network(task.query_x[0]), task.query_y[0]))
            torchopt.recover_state_dict(network, start)
            torchopt.recover_state_dict(inner, inner_start)
        torch.stack(losses).mean().backward()

    return fill_gradients


def higher_meta_gradient(network: nn.Module, episode: Episode, inner_lr: float) -> Callable[[], None]:
    """Second-order MAML with one inner step, as in higher's own Omniglot example: a backward pass after each task."""
    import higher

    inner = torch.optim.SGD(network.parameters(), lr=inner_lr)

    def fill_gradients() -> None:
        network.zero_grad(set_to_none=True)
        for task in episode.tasks():
            with higher.innerloop_ctx(network, inner, copy_initial_weights=False) as (fast, optimizer):
                optimizer.step(F.cross_entropy(fast(task.support_x[0]), task.support_y[0]))
                loss = F.cross_entropy(fast(task.query_x[0]), task.query_y[0])
                (loss / episode.batch_size).backward()

    return fill_gradients
