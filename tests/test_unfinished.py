"""Trainings that are stopped: their state, and the network that the next run ends at."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from helpers import training, unfinished
from helpers.recipes import Checkpoint, Settings
from tests.test_training import few

THREE = Settings(epochs=3, batch_size=8, learning_rate=1e-3, max_length=16, dropout=0.1)
ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give each test an empty cache, and a state after every epoch."""
    monkeypatch.setenv(training.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(unfinished, "EVERY", 0.0)
    return tmp_path / "cache"


@pytest.fixture
def train(saved):
    """Train a network that takes a moment."""

    def run(settings=THREE, **options):
        start = Checkpoint(str(saved), "", folder=True)
        return training.fine_tune(few("urgent"), start, settings, progress=False, **options)

    return run


@pytest.fixture
def stopped(train, monkeypatch, cache):
    """Stop a training after its first epoch; give the folder with its state."""
    seal = unfinished.seal

    def stop(*given):
        seal(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(unfinished, "seal", stop)
        with pytest.raises(KeyboardInterrupt):
            train()
    (place,) = cache.glob("*.unfinished")
    return place


def test_only_a_state_that_nobody_wants_is_removed(train, stopped, cache):
    """A month later another run removes it; an equal run goes on from it, and newer ones stay."""
    newer = cache / "other.unfinished"
    newer.mkdir()
    long_ago = time.time() - unfinished.KEPT - 60
    os.utime(stopped, (long_ago, long_ago))
    unfinished.remove_old(cache, but=stopped)
    with FileLock(stopped.with_suffix(".lock")):  # another process goes on from it
        unfinished.remove_old(cache, but=newer)
    assert stopped.is_dir() and newer.is_dir()
    train(dataclasses.replace(THREE, seed=1, epochs=1))
    assert not stopped.exists() and newer.is_dir()


def equal(one, other):
    """Tell whether two networks have the same weights, to the bit."""
    theirs = other.model.state_dict()
    return all(torch.equal(v, theirs[name]) for name, v in one.model.state_dict().items())


@pytest.mark.parametrize("dropout", [0.1, 0.0])  # without, batches are shared among threads
def test_a_killed_training_ends_at_the_same_weights(dropout, saved, cache, tmp_path, caplog):
    """Killed after its first epoch, a run goes on there and gives the network of a whole run."""
    settings = dataclasses.replace(THREE, dropout=dropout)

    def train(**options):
        start = Checkpoint(str(saved), "", folder=True)
        return training.fine_tune(few("urgent"), start, settings, progress=False, **options)

    script = tmp_path / "killed.py"
    script.write_text(
        textwrap.dedent(
            """
            import dataclasses, os, signal, sys
            from helpers import unfinished
            from tests.test_unfinished import THREE, Checkpoint, few, training

            unfinished.EVERY = 0.0
            seal = unfinished.seal

            def kill(*given):
                seal(*given)
                os.kill(os.getpid(), signal.SIGKILL)

            unfinished.seal = kill
            start = Checkpoint(sys.argv[1], "", folder=True)
            settings = dataclasses.replace(THREE, dropout=float(sys.argv[2]))
            training.fine_tune(few("urgent"), start, settings, progress=False)
            """
        )
    )
    threads = str(torch.get_num_threads())
    done = subprocess.run(
        [sys.executable, str(script), str(saved), str(dropout)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    assert not list(cache.glob("*/run.json"))
    calls = []
    resumed = train(on_epoch=lambda history: calls.append([one["epoch"] for one in history]))
    assert "going on after epoch 1, where an earlier run was stopped" in caplog.text
    assert calls == [[1, 2], [1, 2, 3]] and not resumed.from_cache
    assert not list(cache.glob("*.unfinished")) and train().from_cache
    whole = train(cache=False)
    assert equal(resumed, whole)
    losses = [[one["training_loss"], one["validation_loss"]] for one in whole.history]
    assert losses == [[one["training_loss"], one["validation_loss"]] for one in resumed.history]


def test_a_state_is_taken_by_its_own_run_alone(train, stopped, caplog):
    """Other settings, or a wish to start anew, train from the beginning."""
    train(dataclasses.replace(THREE, learning_rate=2e-3))
    assert "going on" not in caplog.text and (stopped / "checkpoint-3").is_dir()
    seen = []
    train(resume=False, on_epoch=lambda history: seen.append(len(history)))
    assert "going on" not in caplog.text and seen == [1, 2, 3] and not stopped.exists()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "optimizer.pt").write_bytes(b"0"), "optimizer.pt has changed"),
        (lambda folder: (folder / "model.safetensors").unlink(), "No such file"),
        (lambda folder: (folder / unfinished.SEAL).write_text("{"), "Expecting property name"),
        (lambda folder: (folder / unfinished.SEAL).write_text("[]"), "must be integers"),
    ],
)
def test_a_damaged_state_is_said_and_left(stopped, damage, words, caplog):
    """What is wrong with a state is one sentence, and the run begins anew."""
    damage(stopped / "checkpoint-3")
    assert unfinished.find(stopped) is None
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("cannot read the state in") and said.endswith("training anew")
    assert words in said and not stopped.exists()


def test_a_state_without_its_seal_is_none(train, stopped, caplog):
    """What was being written when the run was stopped counts for nothing, the state before does."""
    (stopped / "checkpoint-6").mkdir()
    (stopped / "checkpoint-6" / "optimizer.pt").write_bytes(b"half")
    state = unfinished.find(stopped)
    assert state.folder.name == "checkpoint-3" and len(state.history) == 1
    assert state.best is not None and "going on after epoch 1" in caplog.text
    (stopped / "checkpoint-3" / unfinished.SEAL).unlink()
    assert unfinished.find(stopped) is None and "cannot" not in caplog.text


def test_a_later_state_replaces_the_one_before(tmp_path):
    """One state is kept, the last; it is found with its history and without weights to hold."""
    for step in (9, 10):
        folder = tmp_path / "place" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "weights").write_bytes(b"w")
        unfinished.seal(folder, [{"seconds": 1.0}] * step, None)
    assert [path.name for path in folder.parent.iterdir()] == ["checkpoint-10"]
    state = unfinished.find(folder.parent)
    assert len(state.history) == 10 and state.best is None
    assert json.loads((folder / unfinished.SEAL).read_text())["files"].keys() == {"weights"}


def test_short_epochs_are_not_kept(train, monkeypatch):
    """Where the time between two states has not passed, none is written."""
    sealed = []
    monkeypatch.setattr(unfinished, "EVERY", float("inf"))
    monkeypatch.setattr(unfinished, "seal", lambda *given: sealed.append(given))
    train()
    assert not sealed


def test_a_kept_run_leaves_no_state(train, stopped):
    """A state that outlived its run, killed between the two, goes when the run is taken up."""
    train()
    (stopped / "checkpoint-3").mkdir(parents=True)
    assert train().from_cache and not stopped.exists()


def test_a_state_that_finds_no_room_stops_nothing(train, monkeypatch, caplog, cache):
    """Where a state cannot be written, the training says so, frees its room and goes on."""
    there = []

    def full(*_):
        there.append(len(list(cache.glob("*.unfinished/*"))))
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr(torch, "save", full)
    assert len(train().history) == 3
    assert there == [1, 1]
    assert "the state after this epoch could not be kept (PytorchStreamWriter" in caplog.text
