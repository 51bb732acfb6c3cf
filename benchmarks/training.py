"""`fine_tune` against the source notebook's recipe, on real tweets and the same checkpoint.

REAL_DATA=... python -m benchmarks.training speed
REAL_DATA=... python -m benchmarks.training quality --texts 1500
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch
import transformers
from sklearn.metrics import f1_score

from benchmarks.common import in_turn, plain_trainer, tweets
from helpers.data import Part, Task
from helpers.prediction import predict_logits, resolve_checkpoint
from helpers.recipes import MINILM, Settings
from helpers.training import fine_tune


def first_losses_agree(task: Task) -> None:
    """Show that both sides compute the same loss on 32 texts under the same weights."""
    folder = resolve_checkpoint(MINILM)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(task.label_names),
        problem_type="multi_label_classification",
        dtype=torch.float32,
    ).eval()
    batch = tokenizer(list(task.train.texts[:32]), padding=True, return_tensors="pt")
    labels = torch.tensor(task.train.labels[:32])
    with torch.no_grad():
        theirs = model(**batch, labels=labels).loss
    ours = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(predict_logits(model, tokenizer, task.train.texts[:32], dtype="fp32")), labels
    )
    assert torch.isclose(theirs, ours, atol=1e-5), (theirs, ours)
    print(f"the loss of 32 texts agrees: {theirs:.6f} and {ours:.6f}")


def speed() -> None:
    """Compare texts a second; on both sides the time of training alone."""
    task, folder = tweets(1280), resolve_checkpoint(MINILM)
    few = replace(task, validation=replace_part(task.validation, 32))

    def theirs(n: int, pad_to: int) -> tuple[int, float]:
        return n, plain_trainer(folder, task, n, pad_to=pad_to)[2]

    def ours() -> tuple[int, float]:
        settings = Settings(epochs=1, learning_rate=1.5e-4, keep_best=False)
        tuned = fine_tune(few, MINILM, settings, cache=False, progress=False)
        return len(few.train), tuned.seconds

    wide, narrow, rate = in_turn(
        {
            "source recipe, padded to 512 (48 texts)": lambda: theirs(48, 512),
            "source recipe, padded to 128 (128 texts)": lambda: theirs(128, 128),
            "fine_tune (1,280 texts)": ours,
        }
    ).values()
    print(f"ratio to padded to 512: {rate / wide:.1f}; to padded to 128: {rate / narrow:.1f}")


def replace_part(part: Part, n: int) -> Part:
    """Keep the first n texts of a part."""
    return Part(part.texts[:n], part.labels[:n], part.rows[:n])


def quality(n: int) -> None:
    """Compare micro-F1 at 0.5 on the development part after four epochs."""
    task, folder = tweets(n), resolve_checkpoint(MINILM)
    n = len(task.train)
    first_losses_agree(task)
    settings = Settings(epochs=4, learning_rate=1.5e-4, keep_best=False)
    tuned = fine_tune(task, MINILM, settings, cache=False, progress=False)
    logits = predict_logits(tuned.model, tuned.tokenizer, task.validation.texts)
    found = f1_score(task.validation.labels, logits > 0, average="micro")
    print(f"fine_tune: micro-F1 {found:.4f}, {tuned.seconds:.0f} s", flush=True)
    for rate in (2e-5, 5e-5, 1.5e-4):
        model, tokenizer, _ = plain_trainer(folder, task, n, pad_to=None, rate=rate, epochs=4)
        logits = predict_logits(model, tokenizer, task.validation.texts)
        found = f1_score(task.validation.labels, logits > 0, average="micro")
        print(f"source recipe at {rate}: micro-F1 {found:.4f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["speed", "quality"])
    parser.add_argument("--texts", type=int, default=None, help="training tweets; all by default")
    arguments = parser.parse_args()
    speed() if arguments.what == "speed" else quality(arguments.texts)
