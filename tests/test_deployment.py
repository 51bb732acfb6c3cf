"""A saved folder is whole or not there; scoring a file goes on after a stop."""

import csv
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
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
    with pytest.raises(ValueError, match="the labels of the network are urgent, not urgent"):
        deployment.load(folder)


# Files


ROWS = 50


@pytest.fixture
def table(texts):
    """Make a table with columns of many kinds."""
    return pd.DataFrame(
        {
            "id": range(ROWS),
            "text": texts[:ROWS],
            "note": ['a "quoted", cell', "zwei\nZeilen", "", "ö 漢 😀", "x"] * (ROWS // 5),
        }
    )


def write(table, path):
    """Write a table in the format of the path's suffix."""
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=True, force_ascii=False)
    return path


def read(path):
    """Read a table back."""
    if path.suffix == ".csv":
        return pd.read_csv(path, keep_default_na=False)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.DataFrame([json.loads(line) for line in path.read_text("utf-8").splitlines()])


@pytest.mark.parametrize("out", deployment.FORMATS)
@pytest.mark.parametrize("into", deployment.FORMATS)
def test_every_format_keeps_its_columns(saved, loaded, table, tmp_path, into, out):
    """From each format to each: all columns kept, the rule's record beside them, in order."""
    source, target = write(table, tmp_path / f"in{into}"), tmp_path / f"out{out}"
    done = scoring.score(saved, source, target, chunk=16)
    assert (done.rows, done.bad, done.resumed) == (ROWS, 0, 0) and not done.bad_file.exists()
    found, expected = read(target), loaded.explain(list(table["text"]))
    assert list(found.columns[:3]) == list(table.columns)
    for name in table.columns:
        assert found[name].astype(str).tolist() == table[name].astype(str).tolist()
    assert found["decision_label"].tolist() == [r["label"] for r in expected]
    p = [r["positive_probability"] for r in expected]
    assert np.allclose(found["decision_positive_probability"].astype(float), p, atol=1e-5)
    lock = f".{target.name}.lock"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, target.name, lock])


def test_parquet_keeps_its_types(saved, texts, tmp_path):
    """Dates, decimals, lists and missing values go through Parquet unchanged."""
    when = pd.date_range("2026-01-01", periods=9, tz="UTC")
    source = pa.table(
        {
            "when": when,
            "tags": [["a"], [], None] * 3,
            "small": pa.array([1, None, 3] * 3, pa.int8()),
            "text": texts[:9],
        }
    )
    pq.write_table(source, tmp_path / "in.parquet", row_group_size=2)
    scoring.score(saved, tmp_path / "in.parquet", tmp_path / "out.parquet", chunk=4)
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(source.column_names).equals(source)
    assert found.schema.field("decision_accepted").type == pa.bool_()


@pytest.mark.parametrize("out", deployment.FORMATS)
def test_a_killed_run_goes_on_to_the_same_bytes(saved, table, tmp_path, monkeypatch, out):
    """Wherever a run is stopped, the same call ends with the bytes of an uninterrupted one."""
    table.loc[7, "text"] = ""
    source = write(table, tmp_path / "in.csv")
    whole = tmp_path / f"whole{out}"
    once = scoring.score(saved, source, whole, chunk=8)
    target = tmp_path / f"out{out}"
    step, resumed = 0, 0
    for step in range(100):
        left = step % 4 + 1  # operations until the next crash

        def dying(path, other, replace=Path.replace):
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return replace(path, other)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", dying)
            try:
                done = scoring.score(saved, source, target, chunk=8)
                break
            except Killed:
                resumed = len(list((tmp_path / f"out{out}.parts").glob("*0?")))
    assert step >= 3 and resumed >= 3
    assert (done.rows, done.bad) == (once.rows, once.bad) == (ROWS - 1, 1)
    assert target.read_bytes() == whole.read_bytes()
    assert done.bad_file.read_bytes() == once.bad_file.read_bytes()
    assert not (tmp_path / f"out{out}.parts").exists()


def test_another_job_does_not_take_up_the_parts(saved, table, tmp_path, monkeypatch):
    """Parts of a run with another file or option are named, not mixed in."""
    source, target = write(table, tmp_path / "in.csv"), tmp_path / "out.csv"

    def stop(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(scoring._Writer, "join", stop)
        with pytest.raises(Killed):
            scoring.score(saved, source, target, chunk=8)
    with pytest.raises(ValueError, match="belongs to a run with another file, model or option"):
        scoring.score(saved, source, target, chunk=9)
    table.loc[0, "text"] = "another text"
    write(table, source)
    with pytest.raises(ValueError, match="belongs to a run with another file"):
        scoring.score(saved, source, target, chunk=8)


def test_two_runs_never_hold_one_target(tmp_path):
    """A run that opened the lock's file early, and one that comes late, ask for the same lock."""
    target = tmp_path / "out.csv"
    lock = target.with_name(".out.csv.lock")
    with scoring._only_run(target):
        opened = lock.stat()
    with scoring._only_run(target):
        assert os.path.samestat(opened, lock.stat())
        with pytest.raises(ValueError, match="another run is writing"), scoring._only_run(target):
            pass


def test_a_second_run_of_the_same_job_is_kept_out(saved, table, tmp_path, monkeypatch):
    """While a run writes a target, another one of the same job is refused, and harms nothing."""
    source, target = write(table, tmp_path / "in.csv"), tmp_path / "out.csv"
    part = scoring._Writer.part

    def meanwhile(*arguments):
        with pytest.raises(ValueError, match=r"another run is writing .*out\.csv: wait for it"):
            scoring.score(saved, source, target, chunk=32)
        part(*arguments)

    monkeypatch.setattr(scoring._Writer, "part", meanwhile)
    assert scoring.score(saved, source, target, chunk=32).rows == ROWS == len(read(target))


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL")
def test_a_process_that_is_killed_leaves_nothing_half_written(saved, tmp_path, texts):
    """After SIGKILL the same command goes on, and ends as if nothing had been."""
    table = pd.DataFrame({"text": [f"{text} {i}" for i in range(60) for text in texts[:ROWS]]})
    source, target = write(table, tmp_path / "in.csv"), tmp_path / "out.jsonl"
    code = "import sys; from helpers.deployment import score; score(*sys.argv[1:], chunk=16)"
    command = [sys.executable, "-c", code, saved, source, target]
    parts = tmp_path / "out.jsonl.parts"
    for pause in (0, 0.05):
        before = len(list(parts.glob("*[0-9]")))
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while len(list(parts.glob("*[0-9]"))) < before + 3:
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(pause)
        process.kill()
        process.wait()
        assert not target.exists()
    assert scoring.score(saved, source, target, chunk=16).resumed >= 6
    scoring.score(saved, source, tmp_path / "whole.jsonl", chunk=16)
    assert target.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("kind", deployment.FORMATS)
def test_memory_does_not_grow_with_the_file(loaded, tmp_path, monkeypatch, kind):
    """Ten times the rows take no more memory: a file is read, decided and written in chunks."""
    monkeypatch.setattr(scoring, "load", lambda _: loaded)
    monkeypatch.setattr(
        deployment.Deployment, "logits", lambda _, texts: np.full((len(texts), 2), -3.0)
    )
    folder, peaks, before = tmp_path, [], pa.default_memory_pool()
    (folder / "decision.json").write_text("{}")
    for n in (3_000, 30_000):
        rows = pd.DataFrame({"text": [f"message {i}" for i in range(n)], "id": range(n)})
        source = folder / f"in_{n}{kind}"
        if kind == ".parquet":
            rows.to_parquet(source, row_group_size=1_000)
        else:
            write(rows, source)
        arrow = pa.proxy_memory_pool(before)  # tracemalloc does not see what Arrow takes
        pa.set_memory_pool(arrow)
        tracemalloc.start()
        try:
            done = scoring.score(folder, source, folder / f"out_{n}{kind}", chunk=1_000)
            peaks.append(tracemalloc.get_traced_memory()[1] + arrow.max_memory())
        finally:
            tracemalloc.stop()
            pa.set_memory_pool(before)
        assert done.rows == n
    assert peaks[1] < 1.3 * peaks[0], peaks


BAD_LINES = {
    b"{": "no JSON",
    b"[1]": "expected a JSON object",
    b'{"text": 3}': "no text in 'text'",
    b'{"text": "  "}': "no text in 'text'",
    b'{"other": "a"}': "no text in 'text'",
    b'{"text": null}': "no text in 'text'",
    b'{"text": "\\ud800"}': "not valid Unicode",
    b'{"text": "a", "b": {"c": ["\\ud800"]}}': "not valid Unicode",
    b'{"text": "\xff"}': "no JSON",
    b"[" * 100_000: "no JSON",
    b'{"text": "a", "decision_label": 1}': "unexpected columns: decision_label",
}


def test_bad_lines_go_to_the_side_file(saved, tmp_path):
    """Each kind of bad line is counted and kept with its number and reason; the others go on."""
    lines = [b'{"text": "good"}', b"", *BAD_LINES, b'{"more": [1], "text": "good"}']
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    done = scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.jsonl", chunk=3)
    assert (done.rows, done.bad) == (2, len(BAD_LINES))
    kept = [json.loads(line) for line in done.bad_file.read_text().splitlines()]
    assert [k["row"] for k in kept] == list(range(2, len(BAD_LINES) + 2))
    for one, reason in zip(kept, BAD_LINES.values(), strict=True):
        assert one["reason"].startswith(reason)
    assert read(tmp_path / "out.jsonl")["text"].tolist() == ["good", "good"]


def test_bad_csv_rows_go_to_the_side_file(saved, tmp_path):
    """Too many cells, too few, bytes that are no UTF-8, and no text are bad rows."""
    rows = [b"good,1", b"a", b"a,1,2", b"\xff,1", b",1", b"good,2"]
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbftext,n\n" + b"\n".join(rows))
    done = scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv", chunk=2)
    assert (done.rows, done.bad) == (2, 4)
    reasons = [json.loads(line)["reason"] for line in done.bad_file.read_text().splitlines()]
    wanted = ["expected 2 cells, got 1", "expected 2 cells, got 3", "not valid Unicode", "no text"]
    assert all(r.startswith(w) for r, w in zip(reasons, wanted, strict=True))


def test_a_cell_without_end_stops_the_run(saved, tmp_path):
    """Beyond a cell that is too long nobody knows the rows: an error, and nothing is written."""
    rows = 'text,n\ngood,1\n"' + "many words, and\nlines " * 9000 + '",2\n'
    (tmp_path / "in.csv").write_text(rows)
    with pytest.raises(ValueError, match=r"cannot be read beyond line .* Is a quote not closed"):
        scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_carriage_return_in_a_cell_comes_back(saved, tmp_path):
    """A cell with a bare carriage return is quoted: the file reads back row by row."""
    (tmp_path / "in.csv").write_bytes(b'id,text\n1,"a\rb"\n2,c\n')
    scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv")
    with open(tmp_path / "out.csv", newline="") as file:
        assert [row[1] for row in csv.reader(file)] == ["text", "a\rb", "c"]


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


@pytest.mark.parametrize("out", deployment.FORMATS)
def test_a_file_without_rows_gives_one(saved, tmp_path, out):
    """A header alone gives a header alone, with the new columns."""
    (tmp_path / "in.csv").write_text("id,text\n")
    done = scoring.score(saved, tmp_path / "in.csv", tmp_path / f"out{out}")
    assert done.rows == 0
    if out == ".csv":
        header = next(csv.reader((tmp_path / "out.csv").read_text().splitlines()))
        assert header[:3] == ["id", "text", "decision_label"]


def test_json_lines_of_mixed_keys(saved, tmp_path):
    """To JSON lines every key is kept; to a table, the first row sets the columns."""
    (tmp_path / "in.jsonl").write_text(
        '{"text": "a", "x": 1}\n{"text": "b"}\n{"text": "c", "y": 2}'
    )
    done = scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert done.rows == 3
    done = scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.parquet", chunk=1)
    assert (done.rows, done.bad) == (2, 1)
    assert pq.read_table(tmp_path / "out.parquet")["x"].to_pylist() == [1, None]


def test_a_column_of_several_kinds_is_named(saved, tmp_path):
    """JSON lines whose column holds numbers and texts cannot become Parquet."""
    (tmp_path / "in.jsonl").write_text('{"text": "a", "x": 1}\n{"text": "b", "x": "1"}')
    for chunk in (1, 2):
        with pytest.raises(ValueError, match="a column holds several kinds"):
            scoring.score(saved, tmp_path / "in.jsonl", tmp_path / f"{chunk}.parquet", chunk=chunk)


@pytest.mark.parametrize(
    ("header", "source", "target", "options", "words"),
    [
        ("text", "in.txt", "out.csv", {}, "must end in one of .csv, .jsonl, .parquet"),
        ("text", "in.csv", "out.xls", {}, "out.xls must end in one of"),
        ("text", "none.csv", "out.csv", {}, "there is no file"),
        ("text", "in.csv", "out.csv", {"text": "body"}, "has no column 'body', only text"),
        ("text,decision_label", "in.csv", "out.csv", {}, "columns of the result already"),
        ("text,text", "in.csv", "out.csv", {}, "two columns of one name"),
        ("text", "in.csv", "out.csv", {"chunk": 0}, "chunk must be an int of at least 1, got 0"),
        ("text", "in.csv", "there.csv", {}, "is there already: remove it"),
    ],
)
def test_what_cannot_be_scored_is_refused(saved, tmp_path, header, source, target, options, words):
    """Formats, columns, options and a target that is there are named before any work."""
    (tmp_path / "in.csv").write_text(f"{header}\n")
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(ValueError, match=words):
        scoring.score(saved, tmp_path / source, tmp_path / target, **options)


def test_records_with_lists_become_text_in_a_table(saved, table, tmp_path, monkeypatch):
    """Where a rule gives lists, CSV and Parquet hold them as JSON text, JSON lines as they are."""
    records = {"labels": ["a", "b"], "probabilities": {"a": 0.5, "b": 0.75}, "reason": None}
    monkeypatch.setattr(deployment.Deployment, "explain", lambda _, t: [dict(records) for _ in t])
    source = write(table, tmp_path / "in.csv")
    for out in deployment.FORMATS:
        scoring.score(saved, source, tmp_path / f"out{out}")
        first = read(tmp_path / f"out{out}").iloc[0]
        labels, p = first["decision_labels"], first["decision_probabilities"]
        if out != ".jsonl":
            labels, p = json.loads(labels), json.loads(p)
        assert labels == ["a", "b"] and p == {"a": 0.5, "b": 0.75}


def test_bf16_decides_alike_on_every_route(tmp_path, tokenizer, texts):
    """In bf16 file, pipeline and call agree to 2e-2, and differ at the cut alone."""
    with torch.random.fork_rng():
        model = small_model()
    folder = deployment.save(tmp_path / "desk", model, tokenizer, RULE, dtype="bf16")
    ready = deployment.load(folder)
    pd.DataFrame({"text": texts}).to_csv(tmp_path / "in.csv", index=False)
    scoring.score(folder, tmp_path / "in.csv", tmp_path / "out.csv", chunk=64)
    p = np.array([r["positive_probability"] for r in ready.explain(texts)])
    routes = (
        read(tmp_path / "out.csv")["decision_positive_probability"],
        [r["positive_probability"] for r in ready.pipeline()(texts, batch_size=16)],
    )
    for other in map(np.asarray, routes):
        assert np.abs(other - p).max() < 2e-2
        flipped = (other >= RULE.threshold) != (p >= RULE.threshold)
        assert np.all(np.abs(p[flipped] - RULE.threshold) < 2e-2)
