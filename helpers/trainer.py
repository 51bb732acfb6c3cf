"""The Trainer of transformers, faster for short texts and small networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from helpers.gradients import shared_backward
from helpers.losses import Loss


class KeepBest(transformers.TrainerCallback):
    """Note each epoch, and hold the weights of the one with the least validation loss."""

    def __init__(self, keep: bool, on_epoch: Callable | None = None) -> None:
        self.keep, self.on_epoch = keep, on_epoch
        self.history: list[dict[str, float]] = []
        self.started = time.perf_counter()
        self.training_loss = float("nan")
        self.best: dict[str, torch.Tensor] | None = None

    def on_log(self, args, state, control, logs=None, **_):
        """Take up the mean loss of the epoch's steps."""
        self.training_loss = (logs or {}).get("loss", self.training_loss)

    def on_evaluate(self, args, state, control, metrics=None, model=None, **_):
        """Add an epoch to the history, and keep its weights if they are the best so far."""
        loss = float(metrics["eval_loss"])
        earlier = [epoch["validation_loss"] for epoch in self.history]
        best = min(filter(np.isfinite, earlier), default=np.inf)  # NaN is never the least
        if self.keep and loss < best:
            self.best = {name: value.clone() for name, value in model.state_dict().items()}
        self.history.append(
            {
                "epoch": round(float(state.epoch)),
                "training_loss": float(self.training_loss),
                "validation_loss": loss,
                "seconds": round(time.perf_counter() - self.started, 1),
            }
        )
        if self.on_epoch:
            self.on_epoch(self.history)


class LikeLength(torch.utils.data.Sampler):
    """Deal rows into batches of like length, and the batches in random order.

    The Trainer's own grouping goes from long to short texts over and over; where a label goes with
    length, as danger does with long messages, training then swings with it.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed = np.asarray(lengths), batch_size, seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        self.epoch += 1
        order = rng.permutation(len(self.lengths))
        order = order[np.argsort(self.lengths[order], kind="stable")]
        whole = len(order) // self.batch_size * self.batch_size
        # the rows left over, of any length, come last: a short batch must be the last one
        left = rng.choice(len(order), len(order) - whole, replace=False)
        batches = np.delete(order, left).reshape(-1, self.batch_size)
        yield from rng.permutation(batches).ravel().tolist()
        yield from order[left].tolist()


class SharedTrainer(transformers.Trainer):
    """The Trainer, with batches of like length, a faster head and a fused optimizer.

    Each core of a CPU takes a part of a batch, in training (if `shared`) and in evaluation.
    """

    head_factor: float
    shared: bool
    loss: Loss
    logits: Callable[[], NDArray[np.float32]]
    model: Any
    train_dataset: Any
    eval_dataset: Any

    def training_step(self, model, inputs, num_items_in_batch=None):
        """Compute loss and gradients of a batch."""
        if self.shared:
            self.model.train()
            batch = {name: values for name, values in inputs.items() if name != "labels"}
            value = shared_backward(self.model, batch, inputs["labels"], self.loss)
            if value is not None:
                return value
        return super().training_step(model, inputs, num_items_in_batch)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """Compute the loss of a batch where it is not shared."""
        labels = inputs.pop("labels")
        return self.loss(model(**inputs).logits, labels)

    def evaluate(self, *_, **__):
        """Compute the loss on the validation part, from logits as `predict_logits` reads them."""
        logits, labels = torch.from_numpy(self.logits()), self.eval_dataset
        metrics = {"eval_loss": self.loss(logits, labels).item()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _get_train_sampler(self, train_dataset=None):
        lengths = [len(row["input_ids"]) for row in self.train_dataset]
        return LikeLength(lengths, self.args.per_device_train_batch_size, self.args.seed)

    def create_optimizer(self, model=None):
        """Give the new head a higher rate, and weight decay to what it is meant for."""
        decayed = set(self.get_decay_parameter_names(self.model))
        body = {id(p) for p in self.model.base_model.parameters()}
        groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
        for name, parameter in self.model.named_parameters():
            groups.setdefault((id(parameter) in body, name in decayed), []).append(parameter)
        rate = self.args.learning_rate
        self.optimizer = torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "lr": rate if in_body else rate * self.head_factor,
                    "weight_decay": self.args.weight_decay if decay else 0.0,
                }
                for (in_body, decay), parameters in groups.items()
            ],
            lr=rate,
            fused=self.args.device.type in ("cpu", "cuda"),
        )
        return self.optimizer
