"""Kill `save`, `score` and `train` at random moments, and look at what is left.

python -m benchmarks.kills --times 100             all three
python -m benchmarks.kills score --times 100       one of them

Each trial is a process of its own that gets SIGKILL after a random share of the time that the whole
takes. What is left must be the old state or the new one, and the same call must then end well.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
import transformers

from helpers import deployment, scoring
from helpers.__main__ import train as train_command
from helpers.decisions import BinaryThreshold
from helpers.messages import corpus_task
from helpers.prediction import load_tokenizer, resolve_checkpoint
from helpers.recipes import MINILM, RECIPES, Checkpoint, Recipe, Settings

NAMES = ("not urgent", "urgent")


def tiny_network() -> transformers.PreTrainedModel:
    """Make a random network of one layer."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        id2label=dict(enumerate(NAMES)),
        label2id={name: i for i, name in enumerate(NAMES)},
        problem_type="single_label_classification",
    )
    return transformers.BertForSequenceClassification(config).eval()


def in_a_child(action: Callable[[], object], seconds: float | None) -> float:
    """Run an action in a forked process, killed after so many seconds; return how long it took."""
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            action()
            os._exit(0)
        except BaseException:
            os._exit(1)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if seconds is None and status != 0:
        raise RuntimeError("the action fails by itself")
    return time.perf_counter() - started


class Save:
    """Replace a saved folder by one with another rule."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "desk"
        self.model = tiny_network()
        self.tokenizer = load_tokenizer(resolve_checkpoint(MINILM))
        self.cut = {"old": 1.0, "new": 2.0}

    def reset(self) -> None:
        """Put the old state there."""
        self.write("old")

    def write(self, which: str) -> None:
        """Save with the old or the new rule."""
        rule = BinaryThreshold(cut=self.cut[which], label_names=NAMES)
        deployment.save(self.folder, self.model, self.tokenizer, rule, dtype="fp32")

    def act(self) -> None:
        """Do what is killed."""
        self.write("new")

    def look(self) -> str:
        """Name the state that is found."""
        cut = deployment.load(self.folder).rule.cut
        return next(name for name, value in self.cut.items() if value == cut)


class Score:
    """Decide a file."""

    def __init__(self, place: Path) -> None:
        self.folder, self.place = place / "desk", place
        rule = BinaryThreshold(cut=0.0, label_names=NAMES)
        tokenizer = load_tokenizer(resolve_checkpoint(MINILM))
        deployment.save(self.folder, tiny_network(), tokenizer, rule, dtype="fp32")
        texts = corpus_task("urgent").train.texts[:600]
        lines = [json.dumps({"text": text, "n": i}) for i, text in enumerate(texts)]
        (place / "in.jsonl").write_text("\n".join([*lines[:300], "broken", *lines[300:]]))
        self.target, self.whole = place / "out.jsonl", b""

    def reset(self) -> None:
        """Take away what an earlier trial left, sometimes."""
        if self.target.exists():
            self.target.unlink()

    def act(self) -> None:
        """Do what is killed."""
        torch.set_num_threads(1)
        scoring.score(self.folder, self.place / "in.jsonl", self.target, chunk=32)

    def look(self) -> str:
        """Name the state: no file, or the whole one."""
        if not self.target.exists():
            return "old"
        found = self.target.read_bytes()
        self.whole = self.whole or found
        bad = self.target.with_name("out.jsonl.bad.jsonl").read_text().splitlines()
        sound = found == self.whole and len(found.splitlines()) == 600 and len(bad) == 1
        return "new" if sound else "mixed"


class Train:
    """Fine-tune, choose and save with one command."""

    def __init__(self, place: Path) -> None:
        package = place / "tiny_checkpoint_of_benchmark"
        package.mkdir()
        (package / "__init__.py").write_text("")
        sys.path.insert(0, str(place))
        tiny_network().save_pretrained(package / "model")
        load_tokenizer(resolve_checkpoint(MINILM)).save_pretrained(package / "model")
        checkpoint = Checkpoint("a/b", "0" * 40, package=package.name)
        os.environ["LOGITS_TO_DECISIONS_CACHE"] = str(place / "cache")
        RECIPES["kill", "offline"] = Recipe(
            checkpoint=checkpoint,
            load_task=lambda: corpus_task("urgent").with_fewer(64),
            settings=Settings(epochs=1),
            criterion=RECIPES["urgent", "offline"].criterion,
        )
        self.folder, self.cache, self.seed = place / "trained", place / "cache", 0

    def reset(self) -> None:
        """Take the folder away; a kept run, whole or not, stays for every second trial."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.seed = random.randrange(10)

    def act(self) -> None:
        """Do what is killed."""
        torch.set_num_threads(1)
        train_command("kill", self.folder, seed=self.seed)

    def look(self) -> str:
        """Name the state: no folder, or one that loads."""
        if not self.folder.exists() and not deployment._previous(self.folder).exists():
            return "old"
        return "new" if deployment.load(self.folder).rule.label_names == NAMES else "mixed"


KINDS = {"save": Save, "score": Score, "train": Train}


def trials(kind: str, times: int) -> Counter:
    """Kill one of the three so many times, and count what is left."""
    with tempfile.TemporaryDirectory() as place:
        what = KINDS[kind](Path(place))
        what.reset()
        in_a_child(what.act, None)
        what.look()
        what.reset()
        whole = in_a_child(what.act, None)
        found: Counter = Counter()
        for _ in range(times):
            what.reset()
            in_a_child(what.act, random.uniform(0, 1.1 * whole))
            try:
                found[what.look()] += 1
            except Exception as error:
                found[f"lost ({type(error).__name__})"] += 1
            if kind != "score" or not what.target.exists():
                in_a_child(what.act, None)  # the same call ends well
            if what.look() != "new":
                found["not mended"] += 1
        return found


def main() -> None:
    """Run and print; fail where anything was mixed or lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", nargs="?", choices=KINDS)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    wrong = 0
    for kind in [options.kind] if options.kind else KINDS:
        found = trials(kind, options.times)
        print(f"{kind}: {options.times} kills, {dict(found)}", flush=True)
        wrong += sum(n for name, n in found.items() if name not in ("old", "new"))
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
