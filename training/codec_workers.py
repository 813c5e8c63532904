"""Several processes that train one codec: on small layers faster than threads in one process.

Started by `torchrun --nproc-per-node N -m training.train_codec ...`; one process needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch import distributed, nn


def join_workers() -> None:
    """Meets the other processes where torchrun started several."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        distributed.init_process_group("gloo")


def workers() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def wait_for_all() -> None:
    if workers() > 1:
        distributed.barrier()


def gather(rows: torch.Tensor) -> torch.Tensor:
    """The rows [n, H] of every worker, by rank, [n * workers, H]."""
    if workers() == 1:
        return rows
    parts = [torch.empty_like(rows) for _ in range(workers())]
    distributed.all_gather(parts, rows.contiguous())
    return torch.cat(parts)


def mean_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replaces each gradient by its mean over the workers."""
    if workers() == 1:
        return
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    distributed.all_reduce(flat)
    flat /= workers()
    for grad, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        grad.copy_(part.view_as(grad))


def leaders(value: float) -> float:
    """The value that rank 0 holds."""
    if workers() == 1:
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    distributed.broadcast(shared, 0)
    return float(shared)
