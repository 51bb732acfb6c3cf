"""Train only those word embeddings that the texts read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


class _Rows(torch.nn.Embedding):
    """Some rows of a table of embeddings, looked up by their numbers in the whole table."""

    place: torch.Tensor

    def __init__(self, table: torch.nn.Embedding, ids: NDArray[np.int64]) -> None:
        place = torch.full((table.num_embeddings,), -1)  # -1 cannot be looked up
        place[ids] = torch.arange(len(ids))
        weight = table.weight.detach()[ids].clone()
        super().__init__(len(ids), table.embedding_dim, _weight=weight)
        if table.padding_idx is not None and place[table.padding_idx] >= 0:
            self.padding_idx = int(place[table.padding_idx])  # it gets no gradient
        self.register_buffer("place", place, persistent=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return super().forward(self.place[ids])


@contextmanager
def only_tokens_read(model: Any, texts: Iterable[NDArray[np.integer]]) -> Iterator[None]:
    """Leave a network, for a time, only the word embeddings of the tokens that some texts hold.

    The others get no gradient, but an optimizer reads and writes all of them at each step: half of
    a small network, and three quarters of one that knows a hundred languages. What was learned is
    put into the whole table at the end; the others are as they were, without weight decay too.

    Parameters
    ----------
    model : PreTrainedModel
        As it is where its table is no plain `torch.nn.Embedding`, is shared with another layer, or
        has options of its own for gradients.
    texts : iterable of ndarray of int
        Token numbers of all texts that will be read meanwhile, the padding token's among them.
    """
    table = model.get_input_embeddings()
    owners = [m for m in model.modules() if getattr(m, "weight", None) is table.weight]
    own = type(table) is torch.nn.Embedding and len(owners) == 1
    if not own or table.sparse or table.scale_grad_by_freq or table.max_norm is not None:
        yield
        return
    ids = np.unique(np.concatenate(list(texts)))
    rows = _Rows(table, ids)
    model.set_input_embeddings(rows)
    try:
        yield
    finally:
        table.to(rows.weight.device)
        with torch.no_grad():
            table.weight[ids] = rows.weight
        model.set_input_embeddings(table)
