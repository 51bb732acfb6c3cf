"""Fine-tune a checkpoint, and keep finished runs: the plumbing around transformers.

Used from lesson 01 on; lesson 03 opens it up.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import logging
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from filelock import FileLock
from numpy.typing import NDArray

from helpers import losses, prediction, processes, unfinished
from helpers.data import Part, Task, check_task
from helpers.losses import Loss
from helpers.moved import forward
from helpers.portable.decisions import Dtype
from helpers.portable.pipeline import file_hash
from helpers.prediction import (
    attention,
    check_dtype,
    check_max_length,
    first_token_only,
    foreign_disk_errors,
    load_tokenizer,
    pick_device,
    quiet_transformers,
    resolve_checkpoint,
    tokenize,
)
from helpers.recipes import Checkpoint, Settings

logger = logging.getLogger(__name__)
CACHE_VARIABLE = "LOGITS_TO_DECISIONS_CACHE"


# Fine-tuning


@dataclass
class FineTuned:
    """A fine-tuned network and how it came about.

    Attributes
    ----------
    model : PreTrainedModel
        In evaluation mode.
    tokenizer : PreTrainedTokenizerBase
    history : list of dict
        One an epoch: ``epoch``, ``training_loss``, ``validation_loss``, ``seconds`` so far.
    seconds : float
        The time that training took, when it was done.
    dtype : str
        The number format of the training.
    from_cache : bool
        Whether an earlier run was taken up.
    """

    model: Any
    tokenizer: Any
    history: list[dict[str, float]]
    seconds: float
    dtype: Dtype
    from_cache: bool = False


def fine_tune(
    task: Task,
    checkpoint: Checkpoint,
    settings: Settings = Settings(),  # noqa: B008 (frozen)
    *,
    n_logits: int | None = None,
    loss: Loss | None = None,
    loss_name: str | None = None,
    dtype: Literal["auto", "bf16", "fp16", "fp32"] = "auto",
    cache: bool = True,
    resume: bool = True,
    progress: bool = True,
    on_epoch: Callable[[list[dict[str, float]]], None] | None = None,
) -> FineTuned:
    """Fine-tune a checkpoint on the training part of a task.

    Batches hold texts of like length, padded to the longest of them; the head learns faster than
    the body, and for many labels it starts at their base rates; after each epoch the loss on the
    validation part is taken, and the best epoch is kept.

    Parameters
    ----------
    task : Task
    checkpoint : Checkpoint
    settings : Settings
    n_logits : int, optional
        By default one logit a label name. A binary task may take 1: one logit, sigmoid.
    loss : callable, optional
        ``loss(logits, labels)`` gives the mean loss of a batch. By default cross-entropy for one
        label a text, binary cross-entropy otherwise.
    loss_name : str, optional
        Names the loss for the cache; a run with an unnamed loss is not kept.
    dtype : "auto", "bf16", "fp16" or "fp32"
        Mixed precision; "auto" is `fast_dtype`.
    cache : bool, default True
        Take up, and keep, finished runs (see Notes).
    resume : bool, default True
        Go on where such a run was stopped; otherwise what it left is removed.
    progress : bool, default True
        Show a progress bar.
    on_epoch : callable, optional
        Called after each epoch with the history so far, to draw it; once, with the whole history,
        where an earlier run is taken up.

    Returns
    -------
    FineTuned

    Raises
    ------
    ValueError
        If the head does not fit the task, `check_task` refuses its training or validation part, the
        tokenizer does not know the texts, or processes under torchrun differ in rows or settings.

    Notes
    -----
    The same seed gives the same network on the same machine with the same number of threads.

    A finished run is kept in ``.cache`` of the clone (or the folder that the environment variable
    ``LOGITS_TO_DECISIONS_CACHE`` names) under a key made of texts, labels, settings, loss name,
    checkpoint, number format, device, library versions and the files that train. A run made with
    another number of threads, which rounds otherwise, is taken up too. Entries are written whole or
    not at all, by one process at a time.

    Beside it stands the state of a run that has not finished, written after an epoch where 30
    seconds have passed since the last. A run that was stopped, even killed, goes on from it, and
    gives the same network to the bit with the same number of threads. A finished run removes it.

    Under torchrun each process takes its share of every batch, and the gradient is that of the
    whole batch; a loss of one's own must be a mean over rows. Nothing is kept there.

    Examples
    --------
    ``recipe = RECIPES["urgent", "offline"]``, then
    ``tuned = fine_tune(recipe.load_task(), recipe.checkpoint, recipe.settings)``.
    """
    task = check_task(task, ("train", "validation"))
    if n_logits is None:
        n_logits = len(task.label_names)
    if n_logits != len(task.label_names) and not (task.kind == "binary" and n_logits == 1):
        raise ValueError(
            f"a {task.kind} task with {len(task.label_names)} label names takes as many logits"
            f"{' or one' if task.kind == 'binary' else ''}, got n_logits={n_logits}"
        )
    chosen_dtype = check_dtype(dtype)
    train = partial(
        _train, task, checkpoint, settings, n_logits, loss, chosen_dtype, progress, on_epoch
    )
    distributed = processes.world_size() > 1
    cacheable = cache and not distributed and (loss is None or loss_name is not None)
    if not (cacheable or distributed):
        return train(None)

    key = _cache_key(task, checkpoint, settings, n_logits, loss_name, chosen_dtype)
    if distributed:
        processes.start(on_cpu=pick_device().type == "cpu")
        processes.check_equal(key)
        return train(None)
    entry = cache_folder() / key
    place: Path | None = entry.with_name(f"{key}.unfinished")
    with ExitStack() as stack:
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(entry.with_name(f"{key}.lock")))
        except OSError as error:
            logger.warning("no cache: %s cannot be used (%s)", entry.parent, error)
            place = None
        if entry.is_dir():
            try:
                kept = _read_entry(entry, settings.dropout)
            except Exception as error:  # whatever is wrong with it, the run can be done again
                logger.warning("cannot read the kept run %s (%s): training anew", entry, error)
                shutil.rmtree(entry, ignore_errors=True)
            else:
                if on_epoch:
                    on_epoch(kept.history)
                return kept
        if place and not resume:
            shutil.rmtree(place, ignore_errors=True)
        tuned = train(place)
        try:
            _write_entry(entry, tuned)
        except OSError as error:
            logger.warning("this run could not be kept in %s (%s)", entry.parent, error)
        if place:
            shutil.rmtree(place, ignore_errors=True)
    return tuned


class _KeepBest(transformers.TrainerCallback):
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
        self.training_loss = (logs or {}).get("loss", self.training_loss)

    def on_evaluate(self, args, state, control, metrics=None, model=None, **_):
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


class _LikeLength(torch.utils.data.Sampler):
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


class _Trainer(processes.SharingTrainer):
    """The Trainer, with batches of like length, a faster head and a fused optimizer."""

    head_factor: float = 1.0
    noted: _KeepBest
    model: Any
    train_dataset: Any

    def _save_checkpoint(self, model, trial):
        try:
            with quiet_transformers():
                super()._save_checkpoint(model, trial)
            folder = f"{self.args.output_dir}/checkpoint-{self.state.global_step}"
            unfinished.seal(Path(folder), self.noted.history, self.noted.best)
        except Exception as error:  # as on a full disk: no reason to stop
            logger.warning("the state after this epoch could not be kept (%s)", error)

    def _get_train_sampler(self, train_dataset=None):
        lengths = [len(row["input_ids"]) for row in self.train_dataset]
        return _LikeLength(lengths, self.args.per_device_train_batch_size, self.args.seed)

    def create_optimizer(self, model=None):
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


def _load_model(folder: Path, task: Task, n_logits: int, dropout: float) -> Any:
    """Load the pretrained body under a new head of the right kind."""
    names = task.label_names if n_logits == len(task.label_names) else task.label_names[1:]
    floats = task.kind == "multilabel" or n_logits == 1
    with quiet_transformers():
        model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # of another head
            num_labels=n_logits,
            id2label=dict(enumerate(names)),
            label2id={name: i for i, name in enumerate(names)},
            problem_type=(
                "multi_label_classification" if floats else "single_label_classification"
            ),
            dtype=torch.float32,
            attn_implementation=attention(),
        )
    lost = {*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])}
    body = sorted(name for name in lost if name.startswith(f"{model.base_model_prefix}."))
    if bare := [name for name in body if ".pooler." not in name]:
        raise ValueError(
            f"the files in {folder} do not hold the network of their configuration: no weights for "
            f"{', '.join(bare[:3])}"
        )
    _set_dropout(model, dropout)
    return model


def _start_at_base_rates(model: Any, labels: NDArray) -> None:
    """Set the new head's bias so that it begins with each label's share of the training texts.

    Otherwise the first hundred steps go into learning that labels are rare (Lin and others, 2017,
    Focal loss for dense object detection, section 3.3).
    """
    head = getattr(model, "classifier", None)
    if isinstance(head, torch.nn.Linear) and head.bias is not None:
        share = (labels.sum(axis=0) + 0.5) / (len(labels) + 1)  # never 0 or 1
        with torch.no_grad():
            head.bias.copy_(torch.from_numpy(np.log(share / (1 - share))))


def _set_dropout(model: Any, share: float) -> None:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share


def _keep_freed_memory() -> None:
    """Tell glibc to keep large blocks that are freed, for the rest of the process.

    The gradient of the word embeddings is a new block each step, tens of megabytes large. If each
    goes back to the system, fresh pages cost a sixth of the training on two cores (mallopt(3)).
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):  # other C libraries lack it
            mmap_threshold, trim_threshold = -3, -1
            library.mallopt(mmap_threshold, 2**30)
            library.mallopt(trim_threshold, 2**31 - 1)


def _rows(tokenizer: Any, part: Part, max_length: int, n_logits: int) -> list[dict[str, Any]]:
    """Tokenise one part, shortest text first; labels as the loss wants them."""
    tokens, _ = tokenize(tokenizer, part.texts, max_length)
    labels = part.labels
    if n_logits == 1:
        labels = labels.reshape(-1, 1).astype(np.float32)
    rows = [
        {**row, "labels": label} for row, label in zip(tokens, torch.tensor(labels), strict=True)
    ]
    return sorted(rows, key=lambda row: len(row["input_ids"]))


def _collate(tokenizer: Any, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Pad a batch to its longest text; labels keep their shape (a one-logit head wants (n, 1))."""
    inputs = [{name: value for name, value in row.items() if name != "labels"} for row in rows]
    batch = tokenizer.pad(inputs, return_tensors="pt", pad_to_multiple_of=8)
    return {**batch, "labels": torch.stack([row["labels"] for row in rows])}


def _train(
    task: Task,
    checkpoint: Checkpoint,
    settings: Settings,
    n_logits: int,
    loss: Loss | None,
    dtype: Dtype,
    progress: bool,
    on_epoch: Callable | None,
    place: Path | None,
) -> FineTuned:
    folder = resolve_checkpoint(checkpoint)
    transformers.set_seed(settings.seed)
    tokenizer = load_tokenizer(folder, task.train.texts[:200])
    model = _load_model(folder, task, n_logits, settings.dropout)
    check_max_length(model, settings.max_length)
    if task.kind == "multilabel":
        _start_at_base_rates(model, task.train.labels)
    device = pick_device()
    if device.type == "cpu":
        _keep_freed_memory()
    logger.info("fine-tuning %s on %s in %s", checkpoint.repository, device, dtype)
    earlier = unfinished.find(place) if place else None
    with tempfile.TemporaryDirectory() as scratch:
        arguments = transformers.TrainingArguments(
            output_dir=str(place or scratch),
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch_size,
            per_device_eval_batch_size=64,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup,
            lr_scheduler_type="linear",
            weight_decay=settings.weight_decay,
            bf16=dtype == "bf16",
            fp16=dtype == "fp16",
            use_cpu=device.type == "cpu",
            dataloader_pin_memory=device.type == "cuda",
            eval_strategy="epoch",
            logging_strategy="epoch",
            save_strategy="no",
            report_to="none",
            # BERT's parameters all take part; another encoder's need not
            ddp_find_unused_parameters=type(model)
            is not transformers.BertForSequenceClassification,
            average_tokens_across_devices=False,  # the losses here are means over a batch
            seed=settings.seed,
            disable_tqdm=not progress,
        )
        trainer = _Trainer(
            model=model,
            args=arguments,
            train_dataset=_rows(tokenizer, task.train, settings.max_length, n_logits),
            eval_dataset=_rows(tokenizer, task.validation, settings.max_length, n_logits),
            processing_class=tokenizer,
            data_collator=partial(_collate, tokenizer),
            compute_loss_func=(
                (lambda outputs, labels, num_items_in_batch=None: loss(outputs.logits, labels))
                if loss
                else None
            ),
        )
        trainer.head_factor = settings.head_factor
        trainer.remove_callback(transformers.trainer_callback.PrinterCallback)
        if processes.world_size() > 1:
            torch.manual_seed(settings.seed + processes.rank())  # other places drop out in each
        noted = _KeepBest(settings.keep_best, on_epoch, save=place is not None, earlier=earlier)
        trainer.noted = noted
        trainer.add_callback(noted)
        with first_token_only(model):
            trainer.train(resume_from_checkpoint=str(earlier.folder) if earlier else None)
        seconds = time.perf_counter() - noted.started
        # training leaves its mixed precision wrapped around the model: take it off
        model = trainer.accelerator.unwrap_model(trainer.model_wrapped, keep_fp32_wrapper=False)
    if noted.best is not None:
        model.load_state_dict(noted.best)
    model.eval()
    return FineTuned(model, tokenizer, noted.history, round(seconds, 1), dtype)


# The cache of finished runs


def cache_folder() -> Path:
    """Name the folder that holds finished runs.

    Returns
    -------
    Path
        The folder in the environment variable ``LOGITS_TO_DECISIONS_CACHE``; otherwise ``.cache``
        of the clone; otherwise, for an installed package, ``~/.cache/logits-to-decisions``.
    """
    if os.environ.get(CACHE_VARIABLE):
        return Path(os.environ[CACHE_VARIABLE]).expanduser()
    clone = Path(__file__).resolve().parent.parent
    if (clone / "pyproject.toml").is_file():
        return clone / ".cache"
    return Path.home() / ".cache" / "logits-to-decisions"


def _cache_key(
    task: Task,
    checkpoint: Checkpoint,
    settings: Settings,
    n_logits: int,
    loss_name: str | None,
    dtype: Dtype,
) -> str:
    import accelerate
    import tokenizers

    digest = hashlib.sha256()
    for module in (sys.modules[__name__], losses, prediction, unfinished):  # all that trains
        digest.update(Path(module.__file__ or "").read_bytes())
    described = {
        "label_names": task.label_names,
        "kind": task.kind,
        "checkpoint": [checkpoint.repository, checkpoint.revision, dict(checkpoint.sha256)],
        "settings": asdict(settings),
        "n_logits": n_logits,
        "loss": loss_name,
        "dtype": dtype,
        "device": str(pick_device()),
        "machine": platform.machine(),
        "versions": [
            module.__version__ for module in (torch, transformers, accelerate, tokenizers, np)
        ],
    }
    digest.update(json.dumps(described, sort_keys=True).encode())
    if checkpoint.folder:  # its files may change
        for path in sorted(Path(checkpoint.repository).iterdir()):
            digest.update(f"{path.name} {file_hash(path) if path.is_file() else ''}".encode())
    for part in (task.train, task.validation):
        digest.update(json.dumps(part.texts).encode())
        digest.update(np.ascontiguousarray(part.labels).tobytes())
    return digest.hexdigest()[:32]


def _read_entry(entry: Path, dropout: float) -> FineTuned:
    run = json.loads((entry / "run.json").read_text(encoding="utf-8"))
    logger.warning(
        "taking up the fine-tuning kept in %s (%.0f s when it was done; cache=False trains anew)",
        entry.name[:8],
        run["seconds"],
    )
    with quiet_transformers():
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            entry, dtype=torch.float32, attn_implementation=attention()
        )
    _set_dropout(model, dropout)
    return FineTuned(
        model=model.eval().to(pick_device()),
        tokenizer=load_tokenizer(entry),
        history=run["history"],
        seconds=run["seconds"],
        dtype=run["dtype"],
        from_cache=True,
    )


def _write_entry(entry: Path, tuned: FineTuned) -> None:
    """Write beside the place, then move: an entry is whole or not there."""
    scratch = entry.with_name(entry.name + ".part")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with quiet_transformers(), foreign_disk_errors():
            tuned.model.save_pretrained(scratch)
            tuned.tokenizer.save_pretrained(scratch)
        run = {"history": tuned.history, "seconds": tuned.seconds, "dtype": tuned.dtype}
        (scratch / "run.json").write_text(json.dumps(run), encoding="utf-8")
        scratch.rename(entry)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


__getattr__ = forward(__name__)
