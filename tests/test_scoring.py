"""Files of any size are decided row by row: nothing is lost, and a stop costs nothing."""

import csv
import gzip
import json
import os
import subprocess
import sys
import time
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from conftest import RULE, small_model

from helpers import deployment, scoring
from helpers.tables import FORMATS


@pytest.fixture(scope="module")
def loaded(saved):
    """Load the small network."""
    return deployment.load(saved)


class Killed(BaseException):
    """Stands for the end of a process: nothing catches it, and no clean-up runs."""


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
    if path.suffix in (".csv", ".tsv"):
        table.to_csv(path, index=False, sep="," if path.suffix == ".csv" else "\t")
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=True, force_ascii=False)
    return path


def read(path):
    """Read a table back."""
    if path.suffix in (".csv", ".tsv"):
        separator = "," if path.suffix == ".csv" else "\t"
        return pd.read_csv(path, keep_default_na=False, sep=separator)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.DataFrame([json.loads(line) for line in path.read_text("utf-8").splitlines()])


@pytest.mark.parametrize("out", FORMATS)
@pytest.mark.parametrize("into", FORMATS)
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


@pytest.mark.parametrize("out", FORMATS)
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
        patch.setattr(scoring.Writer, "join", stop)
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
    part = scoring.Writer.part

    def meanwhile(*arguments):
        with pytest.raises(ValueError, match=r"another run is writing .*out\.csv: wait for it"):
            scoring.score(saved, source, target, chunk=32)
        part(*arguments)

    monkeypatch.setattr(scoring.Writer, "part", meanwhile)
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


@pytest.mark.parametrize("kind", FORMATS)
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
    b'{"text": "\xff"}': "not UTF-8",
    b"[" * 100_000: "no JSON",
    b'{"text": "a"} {"text": "b"}': 'no JSON: \'{"text": "b"}\' follows after its end',
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
    """Too many cells, too few, no text, and nothing but unseen characters are bad rows."""
    rows = [b"good,1", b"a", b"a,1,2", b"\xe2\x80\x8b,1", b",1", b"good,2"]
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbftext,n\n" + b"\n".join(rows))
    done = scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv", chunk=2)
    assert (done.rows, done.bad) == (2, 4)
    reasons = [json.loads(line)["reason"] for line in done.bad_file.read_text().splitlines()]
    wanted = ["expected 2 cells, got 1", "expected 2 cells, got 3", "no text", "no text"]
    assert all(r.startswith(w) for r, w in zip(reasons, wanted, strict=True))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('text,n\na,1\n"b,2\nc,3\n', "line 3 on: .* in row 2"),
        ('text,n\na,1\nb,"2\nc,3\nd,4\n', "line 3 on: .* in row 2"),
        ('text,n\n\n"a\nb",1\n"b" c,2\n', "line 5 on: .* in row 2"),
        ('"text,n\na,1\nb,2\n', "line 1 on: .* in the header"),
        ('sep=;\ntext;n\na;1\n"b;2\n', "line 4 on: .* in row 2"),
        ('text,n\na,1\n"' + "b,2\n" * 3_000_000, r"line 3 on: more than 10,000,000 .* in row 2"),
    ],
)
def test_a_cell_without_end_stops_the_run(saved, tmp_path, monkeypatch, content, place):
    """A quote that is not closed is named before the network is loaded; nothing is written."""
    monkeypatch.setattr(scoring, "load", lambda _: pytest.fail("the network was loaded"))
    (tmp_path / "in.csv").write_text(content)
    with pytest.raises(ValueError, match=rf"cannot be read from {place}. Is a quote not closed"):
        scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.csv.gz", "in.jsonl.gz"])
def test_a_line_without_end_takes_no_memory(saved, tmp_path, name):
    """A file of 100 MB without a line's end is refused, and is never held whole."""
    start = b"text\n" if "csv" in name else b'{"text": "'
    with gzip.open(tmp_path / name, "w") if "gz" in name else open(tmp_path / name, "wb") as file:
        file.writelines([start, *[b"a" * 2**20] * 100])
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"has more than 10,000,000 characters in line [12]"):
            scoring.score(saved, tmp_path / name, tmp_path / "out.csv")
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


BAD_FILES = {
    "in.csv": b'text,n\n"",1\na\n',
    "in.jsonl": b"no\n{}\n",
    "broken.jsonl": b"no\nyes\n",
    "keys.jsonl": b'{"text": "a", "\\ud800": 1}\n[]\n',
    "deep.jsonl": b'{"text": "a", "b": ' + b"[" * 200 + b"]" * 200 + b"}\n3\n",
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("out", FORMATS)
def test_a_file_of_bad_rows_leaves_no_target(saved, tmp_path, name, out):
    """If no row can be decided there is the side file with all of them, and no target."""
    (tmp_path / name).write_bytes(BAD_FILES[name])
    target = tmp_path / f"out{out}"
    done = scoring.score(saved, tmp_path / name, target)
    assert (done.rows, done.bad) == (0, 2) and len(done.bad_file.read_text().splitlines()) == 2
    assert not target.exists() and not target.with_name(f"{target.name}.parts").exists()


def test_a_target_that_comes_meanwhile_is_not_replaced(saved, table, tmp_path, monkeypatch):
    """What another program writes under the target's name stays; the work is not lost."""
    source, target = write(table, tmp_path / "in.csv"), tmp_path / "out.csv"
    part = scoring.Writer.part

    def meanwhile(*arguments):
        target.write_text("mine")
        part(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(scoring.Writer, "part", meanwhile)
        with pytest.raises(ValueError, match=r"out\.csv is there already: remove it"):
            scoring.score(saved, source, target)
    assert target.read_text() == "mine"
    target.unlink()
    assert scoring.score(saved, source, target).resumed == 1


def test_long_cells_inches_and_new_lines_are_cells(saved, tmp_path):
    """A cell of 200,000 letters, a quote inside a cell, and a quoted new line are read as cells."""
    cells = ["w " * 100_000, '6" pipe', '"a\nb"']
    (tmp_path / "in.csv").write_text(
        "n,text\n" + "".join(f"{i},{c}\n" for i, c in enumerate(cells))
    )
    done = scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv")
    assert (done.rows, done.bad) == (3, 0)
    found = pd.read_csv(tmp_path / "out.csv")["text"].tolist()
    assert found == ["w " * 100_000, '6" pipe', "a\nb"]


def test_another_encoding_is_named_once_or_taken(saved, tmp_path):
    """A Latin-1 file stops before the work, with its line; with the encoding given it is read."""
    (tmp_path / "in.csv").write_bytes("text\nplain\ncaf\u00e9\n".encode("latin-1"))
    with pytest.raises(ValueError, match="is not UTF-8 in line 3: save it as UTF-8, or name"):
        scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv.parts").exists()
    scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv", encoding="latin-1")
    assert read(tmp_path / "out.csv")["text"].tolist() == ["plain", "caf\u00e9"]
    with pytest.raises(ValueError, match="there is no encoding 'martian'"):
        scoring.score(saved, tmp_path / "in.csv", tmp_path / "o.csv", encoding="martian")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.CSV", "id;text\n1;a\n2;b, c\n"),
        ("in.csv", "id\ttext\n1\ta\n2\tb, c\n"),
        ("in.tsv", "text\na\nb, c\n"),
        ("in.csv", "sep=;\nid;text\n1;a\n2;b, c\n"),
        ("in.csv", "sep=\t\r\nid\ttext\r\n1\ta\r\n2\tb, c\r\n"),
        ("in.csv", '"sep=;"\nid;text\n1;a\n2;b, c\n'),
        ("in.csv", 'sep=;\nid,text\n1,a\n2,"b, c"\n'),
        ("in.csv", 'text,"n;o;t;e"\na,1\n"b, c",2\n'),
        ("in.csv", 'text;"note, with, commas"\na;1\nb, c;2\n'),
        ("in.csv", 'text,n|o|t|e\na,1|2|3|4\n"b, c",5|6|7|8\n'),
        ("in.tsv", "text\tx,y,z\na\t1\nb, c\t2\n"),
        ("in.csv", "\n\ntext;n\na;1\n\nb, c;2\n"),
        ("in.csv.gz", 'id,text\n1,a\n2,"b, c"\n'),
        ("in.JSONL.gz", '{"text": "a"}\n{"text": "b, c"}\n'),
    ],
)
@pytest.mark.parametrize("out", ["out.csv", "out.tsv.gz", "out.jsonl.gz", "out.parquet"])
def test_tables_as_people_have_them(saved, tmp_path, name, content, out):
    """Each usual delimiter, told rightly or wrongly, gzip and capitals are read and written."""
    data = content.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert scoring.score(saved, tmp_path / name, tmp_path / out).rows == 2
    if out.endswith("parquet"):
        found = pd.read_parquet(tmp_path / out)
    elif "jsonl" in out:
        found = pd.read_json(tmp_path / out, lines=True)
    else:
        found = pd.read_csv(tmp_path / out, sep="\t" if "tsv" in out else ",")
    assert found["text"].tolist() == ["a", "b, c"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"text": "a"}]', r"begins with \[: that is one JSON text"),
        ('{\n  "text": "a"\n}\n', r"begins with \{: that is one JSON text"),
    ],
)
def test_json_that_is_not_lines_is_refused(saved, tmp_path, content, words):
    """An array and a pretty-printed object are named, not taken for bad rows."""
    (tmp_path / "in.jsonl").write_text(content)
    with pytest.raises(ValueError, match=words):
        scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.jsonl")


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.parquet"])
@pytest.mark.parametrize("encoding", ["nonsense", "", "hex", "rot13", "idna", "undefined", "a\0b"])
def test_an_encoding_that_is_none_is_refused(saved, tmp_path, name, encoding):
    """Unknown names, and codecs that are not of text, are named before any work."""
    write(pd.DataFrame({"text": ["a"]}), tmp_path / name)
    with pytest.raises(ValueError, match="there is no encoding"):
        scoring.score(saved, tmp_path / name, tmp_path / "out.jsonl", encoding=encoding)
    assert not (tmp_path / "out.jsonl.parts").exists()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "gbk"])
@pytest.mark.parametrize("out", ["out.jsonl", "out.csv"])
def test_json_lines_in_any_encoding_are_read(saved, tmp_path, encoding, out):
    """Where a line's end is two bytes or four, the lines are told by the encoding."""
    texts = ["a", "\u0a0a \u6f22" if "gb" not in encoding else "\u6f22", "c"]
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    (tmp_path / "in.jsonl").write_bytes("\n\n".join(lines).encode(encoding))
    done = scoring.score(saved, tmp_path / "in.jsonl", tmp_path / out, encoding=encoding)
    assert (done.rows, done.bad) == (3, 0)
    assert read(tmp_path / out)["text"].tolist() == texts
    if encoding == "utf-16":
        with pytest.raises(ValueError, match=r"it begins as UTF-16\. Name its encoding, utf-16"):
            scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "o.csv")


@pytest.mark.parametrize("out", ["out.jsonl", "out.csv", "out.parquet"])
def test_deep_json_is_a_bad_row(saved, tmp_path, out):
    """JSON that stands a thousand deep in itself is set aside, from 100 on; shallower is read."""
    lines = ['{"text": "a", "b": [[[]]]}']
    lines += [f'{{"text": "a", "b": {"[" * n}{"]" * n}}}' for n in (101, 300, 600, 5_000, 200_000)]
    lines += ['{"text": "' + "[" * 101 + '", "b": []}']
    if out != "out.parquet":  # it holds 100 levels at most, of which a list takes two
        lines += [f'{{"text": "a", "b": {"[" * 98}{"]" * 98}}}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    done = scoring.score(saved, tmp_path / "in.jsonl", tmp_path / out)
    assert (done.rows, done.bad) == (len(lines) - 5, 5)
    for line in done.bad_file.read_text().splitlines():
        assert json.loads(line)["reason"].endswith("nested more than 100 deep")


@pytest.mark.parametrize("inside", ["{}", '{"a": [{}]}', "[" * 60 + "]" * 60])
def test_what_parquet_cannot_hold_is_said_before_the_work(saved, tmp_path, inside):
    """Objects without keys and lists in sixty lists are refused in a sentence; nothing is left."""
    (tmp_path / "in.jsonl").write_text(f'{{"text": "a", "b": {inside}}}')
    try:  # pyarrow 18 reads what is nested so deep, later ones do not
        pq.write_table(pa.table({"b": [json.loads(inside)]}), tmp_path / "tried.parquet")
        pq.read_table(tmp_path / "tried.parquet")
    except (OSError, NotImplementedError):
        held = pytest.raises(ValueError, match="a value does not fit into Parquet: ")
    else:
        held = nullcontext()
    with held:
        scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.parquet")
        assert len(pq.read_table(tmp_path / "out.parquet")) == 1
    assert not (tmp_path / "out.parquet.parts").exists()


def test_numbers_of_other_columns_leave_as_they_came(saved, tmp_path):
    """1.10, twenty digits, 5,000 digits and 1e5 keep their text; NaN becomes null."""
    numbers = ["1.10", "12345678901234567890.12345", "9" * 5000, "1e5", "-0.0"]
    lines = [f'{{"n": {n}, "text": "a"}}' for n in numbers]
    (tmp_path / "in.jsonl").write_text("\n".join([*lines, '{"n": NaN, "text": "a"}']))
    scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    found = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [line.split('"n": ')[1].split(",")[0] for line in found] == [*numbers, "null"]
    scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.csv")
    cells = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)["n"].tolist()
    assert cells == [*numbers, ""]


NUMBERS = ["1.10", "12345678901234567890.12345", "9" * 5000, "1e5", "1E400", "-0.0", "-0", "7"]


@pytest.mark.parametrize("text", ["a", "NaN", "is -Infinity, NaN", '\\"NaN', "\\\\", "\\u004eaN"])
def test_a_text_that_says_nan_costs_no_digit(saved, tmp_path, text):
    """Beside each text, numbers at any depth and double keys stay; only a true NaN is replaced."""
    inside = f'"n": [{", ".join(NUMBERS)}], "n": {{"NaN": [{", ".join(NUMBERS)}], "m": "{text}"}}'
    line = f'{{"text": "{text}", {inside}, "x": NaN, "y": [-Infinity, Infinity]}}'
    (tmp_path / "in.jsonl").write_text(line)
    scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    found = (tmp_path / "out.jsonl").read_text()
    wanted = f'{{"text": "{text}", {inside}, "x": null, "y": [null, null], "decision_label"'
    assert found.startswith(wanted)


def test_numbers_inside_a_cell_leave_as_they_came(saved, tmp_path):
    """A nested value becomes JSON text in a CSV cell, with the digits that it had."""
    inside = f'{{"a": [{", ".join(NUMBERS)}, [], {{}}], "b": {{"c": null, "d": "NaN"}}}}'
    (tmp_path / "in.jsonl").write_text(f'{{"n": {inside}, "text": "a", "z": -0}}')
    scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.csv")
    row = pd.read_csv(tmp_path / "out.csv", dtype=str).iloc[0]
    assert row["n"] == inside and row["z"] == "-0"


def test_a_bad_line_is_kept_as_it_was_written(saved, tmp_path):
    """What goes to the side file keeps its digits too, and a long number is no text."""
    lines = ['{"n": [1.10], "text": ""}', f'{{"n": 1E5, "text": {"9" * 5000}}}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    done = scoring.score(saved, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    kept = [json.loads(line)["content"] for line in done.bad_file.read_text().splitlines()]
    assert kept == lines


def test_a_source_that_changes_meanwhile_is_noticed(saved, table, tmp_path, monkeypatch):
    """Rows that come while the file is read make an error, not a mixture."""
    source, target = write(table, tmp_path / "in.csv"), tmp_path / "out.csv"
    part = scoring.Writer.part

    def grows(*arguments):
        with open(source, "a") as file:
            file.write("999,one more,x\n")
        part(*arguments)

    monkeypatch.setattr(scoring.Writer, "part", grows)
    with pytest.raises(ValueError, match="changed while it was read: nothing was written"):
        scoring.score(saved, source, target, chunk=16)
    assert not target.exists() and not (tmp_path / "out.csv.parts").exists()


def test_rows_that_are_replaced_between_two_runs_are_noticed(saved, table, tmp_path, monkeypatch):
    """Another file of equal size and time is not mixed with the parts of the first."""
    source, target = write(table, tmp_path / "in.csv"), tmp_path / "out.csv"
    times, stop = source.stat(), Killed()

    def dies(*_):
        raise stop

    with monkeypatch.context() as patch:
        patch.setattr(scoring.Writer, "join", dies)
        with pytest.raises(Killed):
            scoring.score(saved, source, target, chunk=16)
    source.write_bytes(source.read_bytes().replace(b"zwei", b"drei"))
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(ValueError, match=r"is not the file that .* was made from"):
        scoring.score(saved, source, target, chunk=16)


def test_a_full_disk_is_an_error_and_costs_nothing(saved, table, tmp_path, monkeypatch):
    """Where a part cannot be written, the parts before it stay, and the same call goes on."""
    source, target = write(table, tmp_path / "in.csv"), tmp_path / "out.csv"
    part, left = scoring.Writer.part, [2]

    def full(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        part(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(scoring.Writer, "part", full)
        with pytest.raises(OSError, match="No space left"):
            scoring.score(saved, source, target, chunk=16)
    assert not target.exists()
    done = scoring.score(saved, source, target, chunk=16)
    assert done.resumed == 2 and done.rows == ROWS


@pytest.mark.parametrize("n", [100, 5_000])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_spoilt_gzip_file_gets_a_sentence(saved, tmp_path, n, kind):
    """Bytes that are cut off or overwritten are told as what they are."""
    lines = [f'{{"text": "message {i * 7919}"}}\n' for i in range(n)]
    data = gzip.compress("".join(lines if kind == "jsonl" else ["text\n", *lines]).encode())
    for i, spoilt in enumerate([data[:-9], data[:60] + b"\xff" * 30 + data[90:], b"x" + data]):
        (tmp_path / f"{i}.{kind}.gz").write_bytes(spoilt)
        with pytest.raises(ValueError, match=r"cannot be unpacked|is not UTF-8"):
            scoring.score(saved, tmp_path / f"{i}.{kind}.gz", tmp_path / f"{i}.jsonl")


def test_values_that_python_cannot_hold_get_a_sentence(saved, tmp_path):
    """A day in the year three million, and text that is not UTF-8, are told."""
    tables = [
        pa.table({"text": ["a"], "day": pa.array([2**30], pa.date32())}),
        pa.table({"text": pa.array([b"\xff"], pa.binary()).view(pa.string())}),
    ]
    for i, one in enumerate(tables):
        pq.write_table(one, tmp_path / f"{i}.parquet")
        with pytest.raises(ValueError, match=f"{i}.parquet cannot be read as Parquet: "):
            scoring.score(saved, tmp_path / f"{i}.parquet", tmp_path / f"{i}.jsonl")


@pytest.mark.parametrize("spoil", ["flipped", "folder", "text"])
def test_a_spoilt_parquet_file_gets_a_sentence(saved, table, tmp_path, spoil):
    """Bytes that are turned, a folder of that name, and a text file are named."""
    source = tmp_path / "in.parquet"
    if spoil == "folder":
        source.mkdir()
    elif spoil == "text":
        source.write_text("text\na\n")
    else:
        data = bytearray(write(table, source).read_bytes())
        data[-40:-8] = bytes(b ^ 0xFF for b in data[-40:-8])
        source.write_bytes(data)
    words = "is a folder" if spoil == "folder" else "cannot be read as Parquet"
    with pytest.raises(ValueError, match=words):
        scoring.score(saved, source, tmp_path / "out.csv")


def test_a_near_name_is_proposed(saved, tmp_path):
    """A header cell with blanks or capitals is named in the refusal."""
    (tmp_path / "in.csv").write_text("id, Text \n1,a\n")
    with pytest.raises(
        ValueError, match="no column 'text', only id,  Text ; did you mean ' Text '"
    ):
        scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv")


def test_a_carriage_return_in_a_cell_comes_back(saved, tmp_path):
    """A cell with a bare carriage return is quoted: the file reads back row by row."""
    (tmp_path / "in.csv").write_bytes(b'id,text\n1,"a\rb"\n2,c\n')
    scoring.score(saved, tmp_path / "in.csv", tmp_path / "out.csv")
    with open(tmp_path / "out.csv", newline="") as file:
        assert [row[1] for row in csv.reader(file)] == ["text", "a\rb", "c"]


@pytest.mark.parametrize("out", FORMATS)
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
        with pytest.raises(ValueError, match="the column 'x' holds several kinds"):
            scoring.score(saved, tmp_path / "in.jsonl", tmp_path / f"{chunk}.parquet", chunk=chunk)


@pytest.mark.parametrize(
    ("header", "source", "target", "options", "words"),
    [
        ("text", "in.txt", "out.csv", {}, "must end in one of .csv, .tsv, .jsonl"),
        ("text", "in.csv", "out.xls", {}, "out.xls must end in one of"),
        ("text", "none.csv", "out.csv", {}, "none.csv is not there"),
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
    for out in FORMATS:
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
