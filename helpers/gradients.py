"""Gradients of one batch on several cores: training on a CPU, one part of the batch a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from helpers.losses import Loss
from helpers.prediction import thread_pool

LEAST_TOKENS = 64  # of a part; fewer do not pay for handing them to a thread


def shared_backward(
    model: Any, batch: Mapping[str, torch.Tensor], labels: torch.Tensor, loss: Loss
) -> torch.Tensor | None:
    """Compute the loss of a batch and add up its gradients, one part of the rows a thread.

    A small network gains more from that than from sharing each of its many small steps among the
    cores. The loss sees the logits of all rows at once, so it may be any; parts are added in order,
    so the same number of threads gives the same gradients.

    Parameters
    ----------
    model : callable
        Gives an output with ``logits``. On the CPU, and it must draw no random numbers: threads
        would draw them in any order.
    batch : mapping of str to tensor, each of shape (n, tokens)
        With ``attention_mask``; rows of like length lie together.
    labels : tensor, shape (n, ...)
    loss : callable
        ``loss(logits, labels)``.

    Returns
    -------
    tensor of shape (), or None
        The loss, with ``.grad`` of the parameters set. None, and nothing done, where the batch is
        too small to be shared.
    """
    threads = torch.get_num_threads()
    parts = min(threads, len(labels), batch["attention_mask"].numel() // LEAST_TOKENS)
    if parts < 2:
        return None
    pool = thread_pool(parts, threads // parts)
    shares = [_unpadded(batch, rows) for rows in torch.arange(len(labels)).chunk(parts)]
    logits = list(pool.map(lambda share: model(**share).logits, shares))
    joined = torch.cat([part.detach() for part in logits]).requires_grad_()
    value = loss(joined, labels)
    upstream = torch.autograd.grad(value, joined)[0].split([len(part) for part in logits])
    parameters = [p for p in model.parameters() if p.requires_grad]
    for gradients in pool.map(
        lambda part, above: torch.autograd.grad(part, parameters, above, allow_unused=True),
        logits,
        upstream,
    ):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            _add(parameter, gradient)
    return value.detach()


def _unpadded(batch: Mapping[str, torch.Tensor], rows: torch.Tensor) -> dict[str, torch.Tensor]:
    """Take some rows of a batch, without the columns in which all of them are padding."""
    columns = batch["attention_mask"][rows].any(dim=0)
    return {name: values[rows][:, columns] for name, values in batch.items()}


def _add(parameter: torch.nn.Parameter, gradient: torch.Tensor | None) -> None:
    if parameter.grad is None:
        parameter.grad = gradient
    elif gradient is not None:
        parameter.grad = parameter.grad + gradient  # not in place: others may hold it
