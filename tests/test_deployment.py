"""A saved folder is whole or not there; scoring a file goes on after a stop."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import NAMES, RULE, small_model
from huggingface_hub import ModelCard

from helpers import deployment, scoring
from helpers.decisions import BinaryThreshold
from helpers.prediction import predict_logits


@pytest.fixture(scope="module")
def loaded(saved):
    """Load the small network."""
    return deployment.load(saved)


# Save and load


def test_what_is_loaded_is_what_was_saved(loaded, texts):
    """Rule, number format, data and logits come back equal; the network is in evaluation mode."""
    assert loaded.rule == RULE and loaded.decision.dtype == "fp32"
    assert loaded.decision.data == "a test"
    assert not loaded.model.training
    expected = predict_logits(small_model(), loaded.tokenizer, texts, dtype="fp32")
    assert np.allclose(loaded.logits(texts), expected, atol=1e-4)
    assert [r["label"] for r in loaded.explain(texts)] == [NAMES[i] for i in RULE.decide(expected)]


def test_no_texts_give_no_records(loaded):
    """An empty list gives an empty list."""
    assert loaded.explain([]) == []


def test_the_folder_holds_what_a_stranger_needs(saved):
    """Weights, tokenizer, rule, code and card lie together, the weights as safetensors."""
    names = {p.name for p in saved.iterdir()}
    assert {"decision.json", "README.md", "config.json", "tokenizer.json"} < names
    assert {"model.safetensors", "pipeline.py", "decisions.py", "probabilities.py"} < names


def test_saving_leaves_the_model_as_it_was(tmp_path, tokenizer):
    """The network's own configuration does not keep the pipeline's entry."""
    model = small_model()
    deployment.save(tmp_path / "a", model, tokenizer, RULE, dtype="fp32")
    assert not hasattr(model.config, "custom_pipelines")


def test_the_card_is_the_hubs(tmp_path, tokenizer):
    """The model card has valid front matter, the tables and the limits."""
    rows = [{"rule": "this", "cost": 0.123456}, {"rule": "0.5", "cost": 1.0}]
    options = {"base_model": "a/b", "reports": {"Test part": rows}, "limits": "Not for boats."}
    folder = deployment.save(
        tmp_path / "a", small_model(), tokenizer, RULE, dtype="fp32", data="desk", **options
    )
    card = ModelCard.load(folder / "README.md")
    assert card.data.pipeline_tag == "text-classification" and card.data.base_model == "a/b"
    assert card.data.library_name == "transformers"
    for words in ("| this | 0.1235 |", "Not for boats.", "desk", "BinaryThreshold", "## Test part"):
        assert words in card.text


def test_a_cards_table_fits_a_phone(tmp_path, tokenizer):
    """Two rules with many figures are two columns, one line a figure."""
    figures = {"threshold": 0.5, "missed": 3, "cost": 0.25}
    rows = [{"rule": name, **figures} for name in ("this", "0.5")]
    options = {"dtype": "fp32", "reports": {"Test part": rows}}
    folder = deployment.save(tmp_path / "a", small_model(), tokenizer, RULE, **options)
    table = (
        "| rule | this | 0.5 |\n| --- | --- | --- |\n| threshold | 0.5 | 0.5 |\n| missed | 3 | 3 |"
    )
    assert table in (folder / "README.md").read_text(encoding="utf-8")


def test_a_folder_of_ours_is_replaced_and_others_are_not(tmp_path, tokenizer):
    """Saving again replaces a saved folder; other folders and files are refused."""
    model = small_model()
    folder = deployment.save(tmp_path / "a", model, tokenizer, RULE, dtype="fp32")
    other = BinaryThreshold(cut="never", label_names=NAMES)
    deployment.save(folder, model, tokenizer, other, dtype="fp32")
    assert deployment.load(folder).rule == other
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("long")
    with pytest.raises(ValueError, match="holds other files: name a new folder"):
        deployment.save(tmp_path / "mine", model, tokenizer, RULE, dtype="fp32")
    with pytest.raises(ValueError, match="is a file: name a folder"):
        deployment.save(tmp_path / "mine" / "thesis.txt", model, tokenizer, RULE, dtype="fp32")


def test_labels_must_fit_before_anything_is_written(tmp_path, tokenizer):
    """A rule for other labels is refused, and nothing is left behind."""
    with pytest.raises(ValueError, match="must be the same, in the same order"):
        rule = BinaryThreshold(cut=0.0)
        deployment.save(tmp_path / "a", small_model(), tokenizer, rule, dtype="fp32")
    with pytest.raises(ValueError, match="dtype must be"):
        deployment.save(tmp_path / "a", small_model(), tokenizer, RULE, dtype="half")
    assert list(tmp_path.iterdir()) == []


class Killed(BaseException):
    """Stands for the end of a process: nothing catches it, and no clean-up runs."""


def test_a_crash_leaves_the_old_folder_or_the_new_one(tmp_path, tokenizer, monkeypatch):
    """Whichever file operation a crash hits, loading afterwards gives one of the two rules."""
    model = small_model()
    new = BinaryThreshold(cut=-1.0, label_names=NAMES)
    original = deployment.save(tmp_path / "first", model, tokenizer, RULE, dtype="fp32")
    found, finished = set(), False
    for step in itertools.count():  # until a save gets through unharmed
        folder = shutil.copytree(original, tmp_path / f"{step}" / "desk")
        left = step

        def dying(function):
            def wrapped(*arguments, **options):
                nonlocal left
                left -= 1
                if left == -1:
                    raise Killed
                if left < -1:
                    return None  # the process is gone: nothing happens any more
                return function(*arguments, **options)

            return wrapped

        with monkeypatch.context() as patch:
            for holder, name in (
                (Path, "rename"),
                (Path, "write_text"),
                (shutil, "copyfile"),
                (shutil, "rmtree"),
            ):
                patch.setattr(holder, name, dying(getattr(holder, name)))
            try:
                deployment.save(folder, model, tokenizer, new, dtype="fp32")
            except Killed:
                pass
            else:
                finished = left >= 0
        found.add(deployment.load(folder).rule.cut)
        deployment.save(folder, model, tokenizer, new, dtype="fp32")  # and saving goes on
        if finished:
            break
    assert step > 3 and found == {RULE.cut, new.cut}


def test_a_missing_folder_is_named(tmp_path):
    """Loading from nowhere says how to save."""
    with pytest.raises(ValueError, match=r"there is no folder .*helpers\.deployment\.save"):
        deployment.load(tmp_path / "none")


def test_labels_in_another_order_are_found_at_loading(saved, tmp_path):
    """A config.json whose labels were swapped is refused."""
    folder = shutil.copytree(saved, tmp_path / "copy")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "urgent", "1": "not urgent"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"belongs to another config\.json"):
        deployment.load(folder)


def test_folders_of_others_are_left_alone(saved, tmp_path, tokenizer):
    """Saving and scoring touch no folder whose name is merely like theirs."""
    backup, thesis = tmp_path / "desk.previous", tmp_path / "out.csv.parts" / "thesis"
    deployment.save(backup, small_model(), tokenizer, RULE, dtype="fp32")
    deployment.save(tmp_path / "desk", small_model(), tokenizer, RULE, dtype="fp32")
    deployment.save(tmp_path / "desk", small_model(), tokenizer, RULE, dtype="fp32")
    assert deployment.load(backup).rule == RULE
    (tmp_path / "desk" / ".git").mkdir()
    with pytest.raises(ValueError, match="holds other files: name a new folder"):
        deployment.save(tmp_path / "desk", small_model(), tokenizer, RULE, dtype="fp32")
    thesis.mkdir(parents=True)
    (tmp_path / "in.csv").write_text("text\na\n")
    with pytest.raises(ValueError, match="parts holds other files"):
        scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv")
    assert thesis.is_dir()


def test_a_disk_without_room_leaves_the_old_folder(tmp_path, tokenizer):
    """Where no byte more may be written, `save` raises an OSError and leaves no scratch."""
    resource = pytest.importorskip("resource")  # not on Windows
    model = small_model()
    folder = deployment.save(tmp_path / "desk", model, tokenizer, RULE, dtype="fp32")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            deployment.save(folder, model, tokenizer, RULE, dtype="bf16")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert deployment.load(folder).decision.dtype == "fp32"
    assert [path.name for path in tmp_path.iterdir()] == ["desk"]


def test_a_tokenizer_that_finds_no_room_says_so_as_the_others(tmp_path, tokenizer, monkeypatch):
    """A bare Exception of the tokenizer's writer becomes the OSError that it stands for."""

    def full(*_, **__):
        raise Exception("No space left on device (os error 28)")

    monkeypatch.setattr(type(tokenizer), "save_pretrained", full)
    with pytest.raises(OSError, match=r"^\[Errno 28\] No space left on device$"):
        deployment.save(tmp_path / "desk", small_model(), tokenizer, RULE, dtype="fp32")
    assert not list(tmp_path.iterdir())
