"""What one GPU does: fine-tuning, reading, memory; a base-size BERT with random weights.

python -m benchmarks.gpu             # under eight minutes on a card
python -m benchmarks.gpu --dry-run   # the same steps with a tiny network, on any machine
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import transformers

from benchmarks.common import in_turn, plain_trainer
from helpers.data import Part, Task
from helpers.messages import corpus_task
from helpers.networks import find_encoder
from helpers.prediction import (
    fast_dtype,
    load_tokenizer,
    pick_device,
    predict_logits,
    resolve_checkpoint,
)
from helpers.recipes import MINILM, Checkpoint, Settings
from helpers.training import fine_tune

SOURCES = {128: 50.5, 300: 40.2}  # tokens, and texts a second of the two source notebooks


@dataclass(frozen=True)
class Sizes:
    """How much work there is."""

    width: int
    layers: int
    heads: int
    texts: int
    read: int
    pipeline: int
    runs: int


REAL = Sizes(width=768, layers=12, heads=12, texts=6400, read=20_000, pipeline=2000, runs=3)
DRY = Sizes(width=32, layers=1, heads=2, texts=64, read=100, pipeline=50, runs=1)


def network(folder: Path, sizes: Sizes) -> Checkpoint:
    """Save an encoder of this size with random weights, and the real tokenizer."""
    transformers.set_seed(0)
    config = transformers.BertConfig(
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=4 * sizes.width,
    )
    transformers.BertModel(config).save_pretrained(folder)
    load_tokenizer(resolve_checkpoint(MINILM)).save_pretrained(folder)
    return find_encoder(folder)


def texts_of(n: int, tokens: int) -> list[str]:
    """Make texts of one length: words of the corpus, so many that all are truncated to it."""
    words = " ".join(corpus_task("urgent").train.texts).split()
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(words, tokens)) for _ in range(n)]


def task_of(n: int, tokens: int) -> Task:
    """Make a task of such texts with labels at random."""
    labels = np.arange(n + 32) % 2
    texts = texts_of(n + 32, tokens)
    train, few = (
        Part(tuple(texts[rows]), labels[rows], pd.DataFrame({"text": texts[rows]}))
        for rows in (slice(0, n), slice(n, None))
    )
    return Task("benchmark", "binary", ("no", "yes"), train, few, few)


def memory() -> str:
    """Say how much of the card was taken since the last call."""
    if not torch.cuda.is_available():
        return "no card: no memory to count"
    most = torch.cuda.max_memory_allocated() / 2**30
    torch.cuda.reset_peak_memory_stats()
    return f"{most:.1f} GiB of the card at most"


def training(checkpoint: Checkpoint, sizes: Sizes) -> None:
    """Compare texts a second; on both sides the time of training alone."""
    for tokens, source in SOURCES.items():
        task = task_of(sizes.texts, tokens)
        settings = Settings(epochs=1, max_length=tokens, keep_best=False)

        def ours(task: Task = task, settings: Settings = settings) -> tuple[int, float]:
            tuned = fine_tune(task, checkpoint, settings, cache=False, progress=False)
            return len(task.train), tuned.seconds

        def theirs(task: Task = task, tokens: int = tokens) -> tuple[int, float]:
            n = sizes.texts // 4
            return n, plain_trainer(checkpoint.repository, task, n, pad_to=tokens)[2]

        ours()  # the first run loads kernels
        memory()
        rate = in_turn({f"fine_tune, {tokens} tokens": ours}, runs=sizes.runs)
        print(f"fine_tune: {memory()}")
        plain = in_turn({f"Trainer as it comes, {tokens} tokens": theirs}, runs=sizes.runs)
        print(f"Trainer: {memory()}")
        (mine,), (other,) = rate.values(), plain.values()
        print(
            f"{tokens} tokens: {mine / other:.1f} times the Trainer here, "
            f"{mine / source:.1f} times the {source} texts a second of the source's notebook"
        )


def reading(checkpoint: Checkpoint, sizes: Sizes) -> None:
    """Compare `predict_logits` with the pipeline, on texts of the corpus."""
    found = list(corpus_task("urgent").train.texts)
    texts = (found * (sizes.read // len(found) + 1))[: sizes.read]
    tokenizer = load_tokenizer(checkpoint.repository)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        checkpoint.repository, num_labels=2
    )
    pipe = transformers.pipeline(
        "text-classification", model=model.eval(), tokenizer=tokenizer, device=pick_device()
    )

    def theirs() -> int:
        return len(pipe(texts[: sizes.pipeline], truncation=True, batch_size=32))

    theirs()
    predict_logits(model, tokenizer, texts[:100])
    memory()
    plain, ours = in_turn(
        {
            "pipeline, batch_size=32": theirs,
            f"predict_logits, {fast_dtype()}": lambda: len(predict_logits(model, tokenizer, texts)),
        },
        runs=sizes.runs,
    ).values()
    print(f"predict_logits: {ours / plain:.1f} times the pipeline; {memory()}")


def main() -> None:
    """Measure what the card does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="a tiny network, on any machine")
    dry = parser.parse_args().dry_run
    if not dry and not torch.cuda.is_available():
        parser.error("there is no GPU here: --dry-run goes through the steps with a tiny network")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "a processor"
    print(f"on {card}, torch {torch.__version__}, {fast_dtype()}")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        sizes = DRY if dry else REAL
        checkpoint = network(Path(place) / "network", sizes)
        reading(checkpoint, sizes)
        training(checkpoint, sizes)
    print(f"{time.perf_counter() - started:.0f} s in all; lessons: python3 run.py")


if __name__ == "__main__":
    main()
