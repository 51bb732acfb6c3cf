"""Several processes that train one network: the same gradients, one rule, one folder."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from helpers import deployment, processes, systems, training
from helpers.data import table_task
from helpers.messages import corpus_task
from helpers.recipes import Checkpoint
from tests.test_training import QUICK, few

ROOT = Path(__file__).parent.parent


def plain_descent(trainer, model=None):
    """Make an optimizer whose steps show the gradients themselves."""
    trainer.optimizer = torch.optim.SGD(trainer.model.parameters(), lr=0.1)
    return trainer.optimizer


def descend(folder):
    """Train by plain descent on 17 rows in batches of 8, so that the last batch has one."""
    start = Checkpoint(str(folder), "", folder=True)
    kept = training.FastTrainer.create_optimizer
    training.FastTrainer.create_optimizer = plain_descent
    try:
        return training.fine_tune(few("urgent", 17), start, QUICK, cache=False, progress=False)
    finally:
        training.FastTrainer.create_optimizer = kept


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Write a small table, most of it for training and an odd number of rows to choose on."""
    task = corpus_task("urgent")
    rows = pd.DataFrame(
        [
            {"text": text, "label": ("no", "yes")[label], "split": name}
            for name, part, n in (
                ("train", task.train, 60),
                ("validation", task.validation, 20),
                ("test", task.test, 15),
            )
            for label in (0, 1)
            for text in np.array(part.texts)[part.labels == label][: n + label]
        ]
    )
    path = tmp_path_factory.mktemp("table") / "messages.csv"
    rows.to_csv(path, index=False)
    return path


def flags(folder, output):
    """Give the options of the command that two processes, and one, run."""
    given = ["--positive", "yes", "--split", "split", "--false-positive", "1"]
    given += ["--false-negative", "5", "--epochs", "2"]
    return [*given, "--checkpoint", str(folder), "--output", str(output)]


@pytest.fixture(scope="module")
def two(saved, table, tmp_path_factory):
    """Run two processes once: plain descent, then the command ``train``."""
    folder = tmp_path_factory.mktemp("two")
    script = folder / "two.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            import torch
            from helpers import __main__, processes
            from tests.test_processes import descend, flags

            network, table, out = sys.argv[1:]
            tuned = descend(network)
            values = {name: value for name, value in tuned.model.state_dict().items()}
            torch.save([tuned.history, values], f"{out}/descent{processes.rank()}.pt")
            sys.argv[1:] = ["train", table, *flags(network, f"{out}/made")]
            __main__.main()
            """
        )
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", str(script)]
    done = subprocess.run(
        [*command, str(saved), str(table), str(folder)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done


def test_the_gradient_is_that_of_the_whole_batch(two, saved):
    """Three steps of descent end where one process ends; in the third a process has no row."""
    folder, _ = two
    alone = descend(saved)
    for number in range(2):
        history, weights = torch.load(folder / f"descent{number}.pt", weights_only=True)
        for name, value in alone.model.state_dict().items():
            assert torch.allclose(weights[name], value, rtol=0, atol=1e-6), name
        for key in ("training_loss", "validation_loss"):
            assert history[0][key] == pytest.approx(alone.history[0][key], abs=1e-5)
    before = deployment.load(saved).model.state_dict()
    moved = max(float((weights[name] - before[name]).abs().max()) for name in before)
    assert moved > 1e-4  # the steps are far longer than what is allowed above


def test_one_process_saves_and_speaks(two, saved, table):
    """One folder is saved, as one process saves it, and each line is printed once."""
    folder, done = two
    place = folder / "made"
    assert done.stdout.count(f"saved in {place}") == 1 and done.stdout.count("Test part:") == 1
    ready = deployment.load(place)
    task = table_task(pd.read_csv(table), name="t", positive="yes", split="split")
    assert ready.rule.chosen["n_samples"] == len(task.validation) == 41
    alone = systems.train(
        task,
        folder / "alone",
        criterion={"false_positive": 1, "false_negative": 5},
        checkpoint=saved,
        epochs=2,
        progress=False,
    )
    texts = task.test.texts
    assert np.abs(ready.logits(texts) - alone.ready.logits(texts)).max() < 0.01
    assert ready.rule.cut == pytest.approx(alone.ready.rule.cut, abs=0.01)


def test_shares_cover_all_rows_once(monkeypatch):
    """Whatever the number of rows and processes, each row is one process's and order returns."""
    for world in (1, 2, 3, 5):
        monkeypatch.setenv("WORLD_SIZE", str(world))
        for n in (0, 1, 2, 7):
            parts = []
            for number in range(world):
                monkeypatch.setenv("RANK", str(number))
                parts.append(processes.share(list(range(n))))
            assert sorted(row for part in parts for row in part) == list(range(n))

            def all_gather(into, own, parts=parts):
                into[:] = [np.array(part, dtype=int) for part in parts]

            monkeypatch.setattr(processes.dist, "all_gather_object", all_gather)
            assert processes.gather(np.array(parts[-1], dtype=int)).tolist() == list(range(n))


@pytest.mark.parametrize("world", [1, 2, 3, 9])
def test_weighted_means_are_the_mean_over_rows(world, monkeypatch):
    """Every process gives as many batches, and the mean of its weighted means is that of all."""
    values = np.random.default_rng(0).normal(size=13)
    monkeypatch.setenv("WORLD_SIZE", str(world))

    def means(order):
        found = []
        for number in range(world):
            monkeypatch.setenv("RANK", str(number))
            rows = processes.SharedBatches(
                values, 4, lambda batch: {"x": torch.tensor(np.array(batch))}, order
            )
            found.append([float(one["share"] * one["x"].mean()) for one in rows])
        return np.mean(found, axis=0)  # each has as many

    batches = [values[i : i + 4].mean() for i in range(0, 13, 4)]
    order = torch.utils.data.SequentialSampler(values)
    assert np.allclose(means(order), batches)


def test_processes_that_differ_are_refused(monkeypatch):
    """Processes with other rows or settings do not train together."""
    monkeypatch.setenv("WORLD_SIZE", "2")

    def all_gather(into, own):
        into[:] = [own, "mine, with more rows"]

    monkeypatch.setattr(processes.dist, "all_gather_object", all_gather)
    with pytest.raises(ValueError, match="the same rows, settings and library versions in every"):
        processes.check_equal("mine")


def test_a_rank_alone_is_no_torchrun(monkeypatch):
    """A variable of another tool leaves no rows out."""
    monkeypatch.setenv("RANK", "3")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert processes.rank() == 0 and processes.share([1, 2, 3]) == [1, 2, 3]
