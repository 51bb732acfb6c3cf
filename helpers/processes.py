"""Several processes that train one network: what each of them takes, and what all put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence, Sized
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

Rows = TypeVar("Rows", bound=Sequence)


def rank() -> int:
    """Give the number of this process under torchrun.

    Returns
    -------
    int
        0 for the first one, which alone writes and prints, and without torchrun.

    Examples
    --------
    >>> rank()
    0
    """
    return int(os.environ.get("RANK", "0")) if world_size() > 1 else 0


def world_size() -> int:
    """Count the processes under torchrun.

    Returns
    -------
    int
        1 without torchrun.

    Examples
    --------
    >>> world_size()
    1
    """
    return int(os.environ.get("WORLD_SIZE", "1"))


def share(rows: Rows) -> Rows:
    """Take every n-th row, for n processes, beginning at this one's number.

    Parameters
    ----------
    rows : sequence

    Returns
    -------
    sequence of the same type
        Empty where there are fewer rows than processes before this one.

    Examples
    --------
    >>> share(["a", "b", "c"])
    ['a', 'b', 'c']
    """
    return rows[rank() :: world_size()]  # type: ignore[return-value]


def gather(own: NDArray) -> NDArray:
    """Put together what the processes made of their shares, in the order of the rows.

    Parameters
    ----------
    own : ndarray, shape (n_own, ...)
        What this process made of its `share`, a row each.

    Returns
    -------
    ndarray, shape (n, ...)
        The same in every process.

    Examples
    --------
    >>> gather(np.array([3, 1, 2]))
    array([3, 1, 2])
    """
    if world_size() == 1:
        return own
    parts: list[Any] = [None] * world_size()
    dist.all_gather_object(parts, own)
    whole = np.empty((sum(map(len, parts)), *own.shape[1:]), dtype=own.dtype)
    for number, part in enumerate(parts):
        whole[number :: len(parts)] = part
    return whole


def start(on_cpu: bool) -> None:
    """Let the processes meet, over gloo on CPUs; under torchrun this takes all of them.

    Parameters
    ----------
    on_cpu : bool
    """
    import accelerate

    accelerate.PartialState(cpu=on_cpu)


def check_equal(value: str) -> None:
    """Refuse to train where the processes would not train the same network.

    Parameters
    ----------
    value : str
        What describes rows, settings and versions of this process.

    Raises
    ------
    ValueError
        If the processes' values differ.

    Examples
    --------
    >>> check_equal("one process always agrees with itself")
    """
    values: list[Any] = [value] * world_size()
    if world_size() > 1:
        dist.all_gather_object(values, value)
    if len(set(values)) > 1:
        raise ValueError(
            "expected the same rows, settings and library versions in every process, got different "
            "ones: start each with the same table, options and packages"
        )


class SharedBatches(torch.utils.data.DataLoader):
    """Batches that all processes draw alike, each collating its own rows of them.

    Parameters
    ----------
    rows : sized
        All rows.
    batch_size : int
        Of a whole batch.
    collate : callable
        Makes a batch of a list of rows.
    sampler : Sampler
        Gives the same order in every process.

    Notes
    -----
    A batch has one more entry, ``share``: the factor by which a process's mean loss must be
    multiplied, so that the mean over the processes is the mean over the rows. A process without a
    row takes the first one times 0: all processes take as many steps, and none waits for ever.
    """

    def __init__(
        self,
        rows: Sized,
        batch_size: int,
        collate: Callable[[list[Any]], dict[str, torch.Tensor]],
        sampler: torch.utils.data.Sampler,
    ) -> None:
        def own(batch: list[Any]) -> dict[str, torch.Tensor]:
            taken = share(batch)
            part = torch.tensor(len(taken) * world_size() / len(batch))
            return {**collate(taken or batch[:1]), "share": part}

        super().__init__(rows, batch_size=batch_size, sampler=sampler, collate_fn=own)  # type: ignore[arg-type]

    def set_epoch(self, epoch: int) -> None:
        """Tell the sampler which epoch begins, as the Trainer does with its own loaders."""
        self.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
