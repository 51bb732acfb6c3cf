"""The Trainer of transformers, faster for short texts and small networks."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from helpers import unfinished
from helpers.gradients import shared_backward
from helpers.losses import Loss
from helpers.prediction import quiet_transformers
from helpers.processes import SharedBatches

logger = logging.getLogger(__name__)


class KeepBest(transformers.TrainerCallback):
    """Note each epoch, hold the weights of the best, and have the state saved now and then."""

    def __init__(
        self,
        keep: bool,
        on_epoch: Callable | None = None,
        *,
        save: bool = False,
        earlier: unfinished.Unfinished | None = None,
    ) -> None:
        self.keep, self.on_epoch, self.save = keep, on_epoch, save
        self.history: list[dict[str, float]] = list(earlier.history) if earlier else []
        self.best: dict[str, torch.Tensor] | None = earlier.best if earlier else None
        self.training_loss = float("nan")
        self.saved = time.perf_counter()
        self.started = self.saved - (self.history[-1]["seconds"] if earlier else 0.0)

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
        last = state.global_step >= state.max_steps  # after it the run itself is kept
        if self.save and not last and time.perf_counter() - self.saved >= unfinished.EVERY:
            control.should_save, self.saved = True, time.perf_counter()
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

    def set_epoch(self, epoch: int) -> None:
        """Tell which epoch begins, as the Trainer does."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        order = rng.permutation(len(self.lengths))
        order = order[np.argsort(self.lengths[order], kind="stable")]
        whole = len(order) // self.batch_size * self.batch_size
        # the rows left over, of any length, come last: a short batch must be the last one
        left = rng.choice(len(order), len(order) - whole, replace=False)
        batches = np.delete(order, left).reshape(-1, self.batch_size)
        yield from rng.permutation(batches).ravel().tolist()
        yield from order[left].tolist()


class FastTrainer(transformers.Trainer):
    """The Trainer, with batches of like length, a faster head and a fused optimizer.

    Each core of a CPU takes a part of a batch, in training (if `shared`) and in evaluation. Of
    several processes each takes its share of the rows of a batch: the batch size is that of a whole
    one, and each step has the gradient that one process would compute.
    """

    head_factor: float
    noted: KeepBest
    shared: bool
    loss: Loss
    logits: Callable[[], NDArray[np.float32]]
    model: Any
    train_dataset: Any
    eval_dataset: torch.Tensor

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
        """Compute the loss of a batch, or of a process's rows, weighed by their share of it."""
        labels, weight = inputs.pop("labels"), inputs.pop("share", 1)
        return weight * self.loss(model(**inputs).logits, labels)

    def evaluate(self, *_, **__):
        """Compute the loss on the validation part, from logits as `predict_logits` reads them."""
        logits, labels = torch.from_numpy(self.logits()), self.eval_dataset
        metrics = {"eval_loss": self.loss(logits, labels).item()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def get_train_dataloader(self) -> torch.utils.data.DataLoader:
        """Give the batches to train on."""
        if self.args.world_size == 1:
            return super().get_train_dataloader()
        size = self.args.per_device_train_batch_size
        return SharedBatches(
            self.train_dataset, size, self.data_collator, self._get_train_sampler()
        )

    def _save_checkpoint(self, model, trial):
        folder = Path(f"{self.args.output_dir}/checkpoint-{self.state.global_step}")
        try:
            with quiet_transformers():
                super()._save_checkpoint(model, trial)
            unfinished.seal(folder, self.noted.history, self.noted.best)
        except Exception as error:  # as on a full disk: no reason to stop
            logger.warning("the state after this epoch could not be kept (%s)", error)
            shutil.rmtree(folder, ignore_errors=True)  # its room is needed

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
