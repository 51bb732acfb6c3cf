"""Claims about the recipes with data from the Hub, and about downloads, through a real server."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.downloads import hub_errors, network_files
from helpers.recipes import BERT_MULTILINGUAL, RECIPES
from tests.hub_server import Faults, Hub
from tests.hub_shelf import COREML, data_sets, networks, toxicity

VISITOR = Path(__file__).with_name("hub_visitor.py")
SOON = 20  # seconds that the clients may wait before they try again
TRAIN = "data/train-00000-of-00001-0d8933b80051ca0e.parquet"


class Visitor:
    """A process with its own empty cache, which does as it is told."""

    def __init__(self, hub, folder):
        self.home = folder / "home"
        self.said = folder / "said.txt"
        environment = {
            **os.environ,
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(self.home),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
            "LOGITS_TO_DECISIONS_CACHE": str(folder / "runs"),
            "PYTHONPATH": str(VISITOR.parent.parent),
        }
        self.process = subprocess.Popen(
            [sys.executable, str(VISITOR)],
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said.open("w"),
            text=True,
        )

    def __call__(self, *order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.said.read_text()
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def hub():
    """Serve what the recipes ask for."""
    with Hub(networks() | data_sets()) as running:
        yield running


@pytest.fixture(scope="module")
def _visitor(hub, tmp_path_factory):
    visitor = Visitor(hub, tmp_path_factory.mktemp("visitor"))
    yield visitor
    visitor.close()


@pytest.fixture
def visitor(hub, _visitor):
    """Give the process, its cache emptied and the Hub in order."""
    hub.faults = Faults()
    hub.sent.clear()
    shutil.rmtree(_visitor.home, ignore_errors=True)
    yield _visitor
    hub.faults = Faults()


ROWS = [key for key in RECIPES if key[1] not in ("offline", "hub-emotions")]
OTHERS = {  # texts that no label fits
    ("intent", "hub"): 55,
    ("intent", "hub-second"): 55,
    ("intent", "hub-english"): 7,
}


@pytest.mark.parametrize("name", ROWS, ids="-".join)
def test_every_recipe_runs_from_an_empty_cache(visitor, name, tmp_path):
    """Each downloads, maps its columns, trains, chooses its rule, saves, loads and decides."""
    answer = visitor("train", *name, str(tmp_path / "saved"))
    assert answer["error"] is None
    rule, decided, other = answer["value"]
    kinds = {"urgent": "BinaryThreshold", "intent": "RejectOption", "topics": "LabelThresholds"}
    assert rule == kinds[name[0]] and decided == 3
    wanted = f"of {OTHERS.get(name)} texts that no label fits, "
    assert other.startswith(wanted) if name in OTHERS else other is None


def fails(answer, words):
    """See that the answer is one sentence with these words, and came soon."""
    error = answer["error"]
    assert error and words in error and "\n" not in error
    assert "no ValueError" not in error and answer["waited"] < SOON
    return True


def test_a_hub_that_is_gone_is_said_soon_and_comes_back(hub, visitor):
    """Network and data set each say it in one sentence; with the Hub back both are had."""
    hub.stop()
    try:
        assert fails(visitor("network", "urgent", "hub"), "cannot be reached")
        assert fails(visitor("task", "topics", "hub"), "cannot be reached")
    finally:
        hub.start()
    assert visitor("network", "urgent", "hub")["error"] is None
    assert visitor("task", "topics", "hub")["error"] is None


def test_what_is_here_needs_no_hub(hub, visitor):
    """A second visit asks for nothing that is here, and finds it while the Hub is gone."""
    for row in (("urgent", "hub"), ("intent", "hub")):
        assert visitor("network", *row)["error"] is None
        assert visitor("task", *row)["error"] is None
    hub.asked.clear()
    assert visitor("network", "urgent", "hub")["error"] is None and hub.asked == []
    hub.stop()
    try:  # intent: its network stands at a branch
        for row in (("urgent", "hub"), ("intent", "hub")):
            for order in ("network", "task"):
                answer = visitor(order, *row)
                assert answer["error"] is None and answer["waited"] < SOON
    finally:
        hub.start()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"cut": {"model.safetensors": 0.6}}, "broke off"),
        ({"short": {"model.safetensors": 0.6}}, "did not arrive as it is listed"),
        ({"short": {"vocab.txt": 0.6}}, "did not arrive as it is listed"),
        ({"instead": {"model.safetensors": bytes(10**6)}}, "did not arrive as it is listed"),
        ({"status": 429}, "for 300 seconds"),
        ({"status": 503}, "in trouble itself (status 503)"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_a_network_that_does_not_arrive_is_one_sentence(hub, visitor, fault, words):
    """The sentence comes soon; a second attempt gets every byte."""
    hub.faults = Faults(**fault)
    assert fails(visitor("network", "urgent", "hub"), words)
    hub.faults = Faults()
    answer = visitor("network", "urgent", "hub")
    assert answer["error"] is None
    files = hub.repositories["models", BERT_MULTILINGUAL.repository].files
    for path in Path(answer["value"]).iterdir():
        assert path.read_bytes() == files[path.name], path.name


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"cut": {".parquet": 0.6}}, "broke off"),
        ({"short": {".parquet": 0.6}}, "did not arrive as it is listed"),
        ({"status": 429}, "for 300 seconds"),
        ({"status": 503}, "in trouble itself (status 503)"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_a_data_set_that_does_not_arrive_is_one_sentence(hub, visitor, fault, words):
    """The sentence comes soon; a second attempt gets every row."""
    hub.faults = Faults(**fault)
    assert fails(visitor("task", "topics", "hub"), words)
    hub.faults = Faults()
    answer = visitor("task", "topics", "hub")
    assert answer["error"] is None and sum(answer["value"]) == 352


def test_a_data_set_with_other_rows_is_not_taken(hub, visitor):
    """Rows that can be read, and are not those that the Hub lists, leave nothing behind."""
    hub.faults = Faults(instead={"0d8933b80051ca0e.parquet": toxicity(9)[TRAIN]})
    assert fails(visitor("task", "topics", "hub"), "did not arrive as it is listed")
    hub.faults = Faults()
    assert sum(visitor("task", "topics", "hub")["value"]) == 352


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_full_cache_is_one_sentence(visitor):
    """Where the weights do not fit, the folder and the remedy are named; with room all is had."""
    visitor("largest file", 2_000_000)
    assert fails(visitor("network", "urgent", "hub"), "HF_HOME")
    visitor("largest file", 0)
    assert visitor("network", "urgent", "hub")["error"] is None


def test_a_cache_that_cannot_be_written_is_named(monkeypatch):
    """The system's own words stand in the sentence, wherever in the chain they were said."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    words = r"from the Hub: .* cannot be written \(Read-only"
    with pytest.raises(ValueError, match=words), hub_errors("a/b"):
        raise RuntimeError("in other words") from OSError(errno.EROFS, "whatever")


def test_gated_and_unknown_repositories_are_one_sentence(hub, visitor):
    """Terms to agree to, a name that is not there, a commit that is not there."""
    key = ("models", BERT_MULTILINGUAL.repository)
    repository = hub.repositories[key]
    repository.gated = True
    try:
        assert fails(visitor("network", "urgent", "hub"), "agreed to its terms")
    finally:
        repository.gated = False
    commit, repository.commit = repository.commit, "e" * 40
    try:
        assert fails(visitor("network", "urgent", "hub"), "no such revision")
    finally:
        repository.commit = commit
    for order, row, kind in (("network", "urgent", "models"), ("task", "topics", "datasets")):
        del_key = key if kind == "models" else ("datasets", "dougtrajano/olid-br")
        away = hub.repositories.pop(del_key)
        try:
            assert fails(visitor(order, row, "hub"), "that is open to all")
        finally:
            hub.repositories[del_key] = away
        assert visitor(order, row, "hub")["error"] is None


def test_only_what_is_loaded_is_fetched(hub, visitor):
    """Weights come once, as safetensors where there are such; nothing of other libraries comes."""
    for row in (("urgent", "hub"), ("topics", "hub"), ("topics", "hub-law")):
        assert visitor("network", *row)["error"] is None
    fetched = {name.split("/", 2)[2] for name in hub.fetched()}
    assert fetched == {
        "config.json",
        "vocab.txt",
        "tokenizer_config.json",
        "added_tokens.json",
        "special_tokens_map.json",
        "model.safetensors",
        "pytorch_model.bin",  # the Portuguese one has no other
    }
    assert "neuralmind/bert-base-portuguese-cased/pytorch_model.bin" in hub.fetched()
    assert "google-bert/bert-base-uncased/pytorch_model.bin" not in hub.fetched()


def test_parts_of_large_weights_are_taken_and_folders_are_not():
    """Numbered parts and their index belong together; an adapter or another library's do not."""
    names = [
        "config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "adapter_model.safetensors",
        "pytorch_model.bin",
        "onnx/config.json",
        f"{COREML}/weights/weight.bin",
        "spiece.model",
    ]
    assert network_files(names) == sorted([*names[:4], "spiece.model"])
