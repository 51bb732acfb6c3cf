"""`score` against the transformers pipeline, and against `predict_logits` alone, on the corpus.

python -m benchmarks.scoring
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import transformers

from benchmarks.common import in_turn
from helpers import deployment, scoring
from helpers.decisions import BinaryThreshold
from helpers.messages import corpus_task
from helpers.prediction import fast_dtype, load_tokenizer, resolve_checkpoint
from helpers.recipes import MINILM


def saved(folder: Path) -> Path:
    """Save the checkpoint under a random head, with a rule that calls out for about a half."""
    source = resolve_checkpoint(MINILM)
    transformers.set_seed(0)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    model = transformers.AutoModelForSequenceClassification.from_pretrained(source, num_labels=2)
    names = tuple(model.config.id2label.values())
    tokenizer = load_tokenizer(source)
    first = deployment.Deployment(
        model.eval(), tokenizer, deployment.Decision(rule=rule(0.0, names), dtype="fp32")
    )
    z = first.logits(corpus_task("urgent").test.texts[:200])
    middle = float(np.median(z[:, 1] - z[:, 0]))
    return deployment.save(folder, model, tokenizer, rule(middle, names), dtype=fast_dtype())


def rule(cut: float, names: tuple[str, str]) -> BinaryThreshold:
    """Make a rule."""
    return BinaryThreshold(cut=cut, label_names=names)


def main() -> None:
    """Compare texts a second, and the decisions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    texts = list(corpus_task("urgent").test.texts)
    texts = (texts * (arguments.texts // len(texts) + 1))[: arguments.texts]
    with tempfile.TemporaryDirectory() as place:
        folder = saved(Path(place) / "desk")
        ready = deployment.load(folder)
        plain = transformers.TextClassificationPipeline(
            model=transformers.AutoModelForSequenceClassification.from_pretrained(folder),
            tokenizer=ready.tokenizer,
            device=-1,
        )
        source, target = Path(place) / "in.csv", Path(place) / "out.csv"
        pd.DataFrame({"text": texts}).to_csv(source, index=False)
        load = deployment.load
        deployment.load = lambda _: ready  # loading takes seconds whatever the file; not counted

        def by_file() -> int:
            target.unlink(missing_ok=True)
            return scoring.score(folder, source, target).rows

        def one_by_one(n: int) -> int:
            return len([plain(text, truncation=True) for text in texts[:n]])

        def in_batches(n: int, size: int) -> int:
            return len(plain(texts[:n], truncation=True, batch_size=size))

        sides = {
            "pipeline, text by text (100 texts)": lambda: one_by_one(100),
            "pipeline, batch_size=32 (300 texts)": lambda: in_batches(300, 32),
            "predict_logits alone": lambda: len(ready.logits(texts)),
            "score, CSV to CSV": by_file,
        }
        single, batched, alone, ours = in_turn(sides, runs=arguments.runs).values()
        deployment.load = load
        print(
            f"score: {ours / single:.1f} times the pipeline text by text, "
            f"{ours / batched:.1f} times batch_size=32, {ours / alone:.0%} of predict_logits"
        )
        by_hand = ready.explain(texts[:200])
        routes = {
            "pipeline of ours": ready.pipeline()(texts[:200], batch_size=16),
            "file": pd.read_csv(target)
            .iloc[:200]
            .rename(columns=lambda name: name.removeprefix("decision_"))
            .to_dict("records"),
        }
        cut = ready.rule.threshold
        for name, found in routes.items():
            p, q = (
                np.array([r["positive_probability"] for r in rows]) for rows in (by_hand, found)
            )
            pairs = zip(by_hand, found, strict=True)
            flipped = np.array([a["label"] != b["label"] for a, b in pairs])
            far = np.abs(p - cut)[flipped].max(initial=0)
            print(
                f"{name}, {ready.decision.dtype}: within {np.abs(p - q).max():.1e}, "
                f"{flipped.sum()} of 200 decided differently, these within {far:.1e} of the cut"
            )


if __name__ == "__main__":
    main()
