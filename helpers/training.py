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
from collections.abc import Callable, Mapping
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

from helpers import gradients, losses, prediction, processes, trainer, unfinished, vocabulary
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
    predict_logits_and_truncation,
    quiet_transformers,
    resolve_checkpoint,
    tokenize,
)
from helpers.recipes import Checkpoint, Settings
from helpers.trainer import FastTrainer, KeepBest
from helpers.vocabulary import only_tokens_read

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
        Mixed precision; "auto" is `fast_dtype`, and fp16 needs a GPU.
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
        tokenizer does not know the texts, "fp16" is asked for without a GPU, or processes under
        torchrun differ in rows or settings.

    Notes
    -----
    The same seed gives the same network on the same machine with the same number of threads. On a
    CPU each thread takes a part of each batch, unless the network draws random numbers (dropout).
    Word embeddings that no text reads stay as they are.

    A finished run is kept in ``.cache`` of the clone (or the folder that the environment variable
    ``LOGITS_TO_DECISIONS_CACHE`` names) under a key made of texts, labels, settings, loss name,
    checkpoint, number format, device, library versions and the files that train. A run made with
    another number of threads, which rounds otherwise, is taken up too. Entries are written whole or
    not at all, by one process at a time.

    Beside it stands the state of a run that has not finished, written after an epoch where 30
    seconds have passed since the last. A run that was stopped, even killed, goes on from it, and
    gives the same network to the bit with the same number of threads. A finished run removes it;
    those that have waited for 30 days go with the next run.

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
    if chosen_dtype == "fp16" and not _trains_in_fp16(pick_device()):
        raise ValueError(
            "training in fp16 needs a GPU, got cpu: take fp32 or auto, the fastest here"
        )
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
        if place:
            unfinished.remove_old(place.parent, but=place)
        if entry.is_dir():
            try:
                kept = _read_entry(entry, settings.dropout)
            except Exception as error:  # whatever is wrong with it, the run can be done again
                logger.warning("cannot read the kept run %s (%s): training anew", entry, error)
                shutil.rmtree(entry, ignore_errors=True)
            else:
                if place:  # of a run that was killed when it had been kept
                    shutil.rmtree(place, ignore_errors=True)
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


def _trains_in_fp16(device: torch.device) -> bool:
    """Tell whether the Trainer does: on a CPU it takes fp32 and does not say so."""
    return device.type != "cpu"


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
    """Tell glibc to keep blocks of up to 16 MiB that are freed, for the rest of the process.

    Each step asks for the same blocks again; fresh pages for them would cost a twentieth of the
    training of short texts. Larger ones, as long texts need, go back to the system: kept, blocks of
    ever other sizes would pile up (mallopt(3)).
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):  # other C libraries lack it
            mmap_threshold, trim_threshold = -3, -1
            library.mallopt(mmap_threshold, 2**24)
            library.mallopt(trim_threshold, 2**31 - 1)


def _labels(part: Part, n_logits: int) -> torch.Tensor:
    """Give the labels of a part as the loss wants them: a one-logit head, (n, 1)."""
    labels = part.labels
    return torch.tensor(labels.reshape(-1, 1).astype(np.float32) if n_logits == 1 else labels)


def _rows(tokenizer: Any, part: Part, max_length: int, n_logits: int) -> list[dict[str, Any]]:
    """Tokenise one part, shortest text first."""
    tokens, _ = tokenize(tokenizer, part.texts, max_length)
    rows = [
        {**row, "labels": label} for row, label in zip(tokens, _labels(part, n_logits), strict=True)
    ]
    return sorted(rows, key=lambda row: len(row["input_ids"]))


def _collate(tokenizer: Any, multiple: int | None, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Pad a batch to its longest text; labels keep their shape."""
    inputs = [{name: value for name, value in row.items() if name != "labels"} for row in rows]
    batch = tokenizer.pad(inputs, return_tensors="pt", pad_to_multiple_of=multiple)
    return {**batch, "labels": torch.stack([row["labels"] for row in rows])}


def _plain_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Compute cross-entropy for one label a text, binary cross-entropy for a row of them."""
    if labels.is_floating_point():
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
    return torch.nn.functional.cross_entropy(logits, labels)


def _draws(model: Any, batch: Mapping[str, torch.Tensor]) -> bool:
    """Tell whether a network in training draws random numbers, as dropout does."""
    before = torch.get_rng_state()
    model.train()
    with torch.no_grad():
        model(**batch)
    drawn = not torch.equal(before, torch.get_rng_state())
    torch.set_rng_state(before)
    return drawn


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
    on_cpu = device.type == "cpu"
    if on_cpu:
        _keep_freed_memory()
    rows = _rows(tokenizer, task.train, settings.max_length, n_logits)
    validation, _ = tokenize(tokenizer, task.validation.texts, settings.max_length)
    read = [row["input_ids"] for row in (*rows, *validation)] + [[tokenizer.pad_token_id]]
    # graphics processors multiply in tiles of eight
    collate = partial(_collate, tokenizer, None if on_cpu else 8)
    first = collate(rows[:1])
    first.pop("labels")
    logger.info("fine-tuning %s on %s in %s", checkpoint.repository, device, dtype)
    earlier = unfinished.find(place) if place else None
    with tempfile.TemporaryDirectory() as scratch, only_tokens_read(model, read):
        arguments = transformers.TrainingArguments(
            output_dir=str(place or scratch),
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch_size,
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
        fitting = FastTrainer(
            model=model,
            args=arguments,
            train_dataset=rows,
            eval_dataset=_labels(task.validation, n_logits),
            processing_class=tokenizer,
            data_collator=collate,
        )
        fitting.head_factor, fitting.loss = settings.head_factor, loss or _plain_loss
        alone = on_cpu and dtype != "fp16" and processes.world_size() == 1  # fp16 scales the loss
        fitting.shared = alone and not _draws(model, first)
        fitting.logits = lambda: processes.gather(
            predict_logits_and_truncation(
                model,
                tokenizer,
                processes.share(task.validation.texts),
                max_length=settings.max_length,
                dtype=dtype,
            )[0]
        )
        fitting.remove_callback(transformers.trainer_callback.PrinterCallback)
        if processes.world_size() > 1:
            torch.manual_seed(settings.seed + processes.rank())  # other places drop out in each
        noted = KeepBest(settings.keep_best, on_epoch, save=place is not None, earlier=earlier)
        fitting.noted = noted
        fitting.add_callback(noted)
        with first_token_only(model):
            fitting.train(resume_from_checkpoint=str(earlier.folder) if earlier else None)
        seconds = time.perf_counter() - noted.started
        # training leaves its mixed precision wrapped around the model: take it off
        model = fitting.accelerator.unwrap_model(fitting.model_wrapped, keep_fp32_wrapper=False)
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
    trains = (sys.modules[__name__], trainer, gradients, vocabulary, processes, unfinished)
    for module in (*trains, losses, prediction):
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
