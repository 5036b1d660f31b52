"""A batch shared by several processes: networks see its rows, objectives see all of it.

Most objectives are no mean over rows: they swap codes between images, divide by a variance over
the batch, look at the first rows, compare groups of images (minibatch standard deviation). So the
loss is not split. Every process holds the whole batch and computes the whole loss from it, with the
same random draws; only where a network is asked does each give it a share of the rows, and the
answers are put together again. What lies outside the networks is then the same in every process,
its gradient too; what lies inside belongs to one process's rows, and the gradients of the weights,
which are sums over rows, are added up. One process and several compute the same gradients, up to
rounding, whatever the objectives are (``tests/twin/training/test_processes.py``).

Splitting and putting together are each other's gradient, as in the sequence parallelism of
Korthikanti et al. 2022 (arXiv 2205.05198, §4.2.2), so gradients of gradients (R1) go through too.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.critics import Critics


def share_rows(surrogate: TwinSurrogate, critics: Critics, *frozen: nn.Module) -> None:
    """Let each process compute its share of every batch that these networks are given, in place.

    Args:
        surrogate: in training; its batch normalisation takes the statistics of the whole batch.
        critics: in training.
        frozen: networks in evaluation mode, which answer each image by itself.
    """
    trained = (surrogate.encoder, surrogate.head, surrogate.generator, critics.features)
    for network in (*trained, *frozen):
        _share(network)
    _share(surrogate.generator, "activations")
    _share(critics.images.trunk)
    _share(critics.images, "judge")
    for module in surrogate.encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            _normalise_over_all_rows(module)


def sum_gradients(optimiser: torch.optim.Optimizer) -> None:
    """Add up the gradients of all processes; nothing is done in a single one."""
    if not dist.is_initialized():
        return
    gradients = [
        parameter.grad
        for group in optimiser.param_groups
        for parameter in group["params"]
        if parameter.grad is not None
    ]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view(gradient.shape))


class _Mine(torch.autograd.Function):
    """The rows of this process, of a tensor that all processes hold."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor) -> Tensor:
        ctx.count = len(whole)
        return whole[_rows(len(whole))].clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return _Whole.apply(gradient, ctx.count)  # type: ignore[no-untyped-call]


class _Whole(torch.autograd.Function):
    """All rows, of a tensor of which each process holds its own."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor, count: int) -> Tensor:
        whole = mine.new_zeros((count, *mine.shape[1:]))
        whole[_rows(count)] = mine
        dist.all_reduce(whole)
        last = mine.ndim == 4 and mine.is_contiguous(memory_format=torch.channels_last)
        return whole.contiguous(memory_format=torch.channels_last) if last else whole

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return _Mine.apply(gradient), None  # type: ignore[no-untyped-call]


class _Sum(torch.autograd.Function):
    """The sum of what each process holds, of which each makes something of its own."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        total = mine.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return _Sum.apply(gradient.contiguous())  # type: ignore[no-untyped-call]


def _rows(count: int) -> slice:
    """Return this process's share of ``count`` rows; shares differ by one row at most."""
    rank, processes = dist.get_rank(), dist.get_world_size()
    return slice(count * rank // processes, count * (rank + 1) // processes)


def _share(network: nn.Module, method: str = "forward") -> None:
    """Let ``method``, which maps a batch to one tensor or several, see this process's rows."""
    ask: Callable[[Tensor], Any] = getattr(network, method)

    def shared(batch: Tensor) -> Any:
        said = ask(_Mine.apply(batch))  # type: ignore[no-untyped-call]
        if isinstance(said, Tensor):
            return _Whole.apply(said, len(batch))  # type: ignore[no-untyped-call]
        parts = [_Whole.apply(part, len(batch)) for part in said]  # type: ignore[no-untyped-call]
        return type(said)(*parts) if hasattr(said, "_fields") else type(said)(parts)

    setattr(network, method, shared)


def _normalise_over_all_rows(norm: nn.BatchNorm2d) -> None:
    """Let batch normalisation use mean and variance over the rows of all processes.

    ``nn.SyncBatchNorm`` does so on GPUs only, where no test of ours could reach it.
    """

    def forward(x: Tensor) -> Tensor:
        if not norm.training:
            return nn.BatchNorm2d.forward(norm, x)
        values = x.float()
        size = values.new_tensor([values.numel() / x.shape[1]])
        total = _Sum.apply(torch.cat([values.sum((0, 2, 3)), size]))  # type: ignore[no-untyped-call]
        count = total[-1].detach()
        mean = total[:-1] / count
        centred = values - mean[:, None, None]
        variance = _Sum.apply(centred.square().sum((0, 2, 3))) / count  # type: ignore[no-untyped-call]
        with torch.no_grad():
            _remember(norm, mean, variance * count / (count - 1))
        assert norm.weight is not None
        scale = norm.weight * (variance + norm.eps).rsqrt()
        return (centred * scale[:, None, None] + norm.bias[:, None, None]).to(x.dtype)

    norm.forward = forward  # type: ignore[assignment,method-assign]


def _remember(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Update the running statistics, as ``nn.BatchNorm2d`` does."""
    assert norm.running_mean is not None and norm.running_var is not None
    assert norm.num_batches_tracked is not None and norm.momentum is not None
    norm.num_batches_tracked.add_(1)
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(variance, norm.momentum)
