"""Many files are decided as each alone, by one process or by workers of which some die."""

import os
import signal
import sys
import threading
import time

import pandas as pd
import psutil
import pytest
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import score_shards as shards
from helpers import scoring

ENDS = (".csv", ".jsonl", ".parquet", ".csv.gz")


@pytest.fixture
def inbox(texts, tmp_path):
    """Write four files of different formats and lengths, with other columns and a blank text."""
    place = tmp_path / "inbox"
    place.mkdir()
    for k, end in enumerate(ENDS):
        table = pd.DataFrame({"id": range(k * 5 + 4), "text": texts[k * 10 :][: k * 5 + 4]})
        table.loc[1, "text"] = ""
        path = place / f"part-{k}{end}"
        if end == ".jsonl":
            table.to_json(path, orient="records", lines=True, force_ascii=False)
        else:
            table.to_parquet(path) if end == ".parquet" else table.to_csv(path, index=False)
    return place


def contents(place):
    """Read all files of a folder, but the locks."""
    return {one.name: one.read_bytes() for one in place.iterdir() if one.suffix != ".lock"}


def each_alone(saved, inbox, place, **options):
    """Decide each file by itself."""
    place.mkdir()
    for path in inbox.iterdir():
        scoring.score(saved, path, place / path.name, **options)
    return contents(place)


@pytest.mark.parametrize("as_pattern", [False, True])
def test_many_files_are_each_decided_as_alone(saved, inbox, tmp_path, as_pattern):
    """A folder, or a pattern, gives the files that `score` writes, side files too."""
    source = inbox / "part-*" if as_pattern else inbox
    done = shards.score_shards(saved, source, tmp_path / "out")
    assert done == shards.ScoredShards(files=4, rows=42, bad=4, before=0)
    assert contents(tmp_path / "out") == each_alone(saved, inbox, tmp_path / "alone")


def test_a_star_in_the_target_sets_the_format(saved, inbox, tmp_path):
    """``decided/*.parquet`` writes each file as Parquet under its own name."""
    found = CliRunner().invoke(
        command_line.app,
        ["score", *map(str, (saved, inbox / "part-[01]*", tmp_path / "out" / "new-*.parquet"))],
    )
    assert found.exit_code == 0, found.output
    assert "11 rows of 2 files decided" in found.output and "2 bad rows" in found.output
    for k, rows in enumerate((3, 8)):
        table = pd.read_parquet(tmp_path / "out" / f"new-part-{k}.parquet")
        assert len(table) == rows and "decision_label" in table


def test_a_second_run_leaves_out_what_is_done(saved, inbox, tmp_path):
    """A file that cannot be decided stops no other; mended, it alone is decided."""
    whole, out = (inbox / "part-0.csv").read_text("utf-8"), tmp_path / "out"
    (inbox / "part-0.csv").write_text("body\nx\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"1 of 4 files could not be decided: .* no column 'text'"):
        shards.score_shards(saved, inbox, out)
    with pytest.raises(ValueError, match=r"other options: remove .*\.shards\.json"):
        shards.score_shards(saved, inbox, out, chunk=2)
    (inbox / "part-0.csv").write_text(whole, encoding="utf-8")
    assert shards.score_shards(saved, inbox, out) == shards.ScoredShards(1, 3, 1, 3)
    assert contents(out) == each_alone(saved, inbox, tmp_path / "alone")
    with pytest.raises(ValueError, match=r"part-0\.csv is there already"):
        shards.score_shards(saved, inbox, out)


def test_a_source_that_changed_is_not_taken_for_done(saved, inbox, tmp_path):
    """After a stop, a target is kept only if its source is still the file that it came from."""
    broken = inbox / "part-0.csv"
    broken.write_text("body\nx\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no column 'text'"):
        shards.score_shards(saved, inbox, tmp_path / "out")
    (inbox / "part-1.jsonl").write_text('{"text": "another"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"part-1\.jsonl is there already"):
        shards.score_shards(saved, inbox, tmp_path / "out")


@pytest.mark.parametrize(
    ("source", "target", "options", "words"),
    [
        ("none-*", "out", {}, "there are no files"),
        ("part-*", "inbox/part-0.csv", {}, "must be a folder, or have a"),
        ("part-*", "out/*.txt", {}, "must end in one of"),
        ("part-*", "inbox/*.parquet", {}, "targets need a folder of their own"),
        ("part-*", "out", {"engine": "spark"}, "engine must be one of local, ray, got 'spark'"),
        ("part-*", "out", {"workers": 0}, "workers must be an int of at least 1, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(saved, inbox, tmp_path, source, target, options, words):
    """Each slip is named before any file is decided."""
    with pytest.raises(ValueError, match=words):
        shards.score_shards(saved, inbox / source, tmp_path / target, **options)
    assert not (tmp_path / "out").exists()


def test_two_files_of_one_name_are_refused(saved, inbox, tmp_path):
    """Names that differ in the ending alone cannot share a target."""
    (inbox / "part-0.tsv").write_text("text\nx\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"two files would be written as part-0\.csv"):
        shards.score_shards(saved, inbox, tmp_path / "out" / "*.csv")


def test_names_are_taken_as_they_are(tmp_path):
    """Brackets in a name are no pattern, and only the ending of a name goes, not all its dots."""
    inbox = tmp_path / "in[1]"
    inbox.mkdir()
    for name in ("2024.01.csv", "2024.02.csv.gz", "b[2].csv"):
        (inbox / name).touch()
    pairs = shards.pair_files(inbox, tmp_path / "*.jsonl")
    names = [goal.name for _, goal in pairs]
    assert names == ["2024.01.jsonl", "2024.02.jsonl", "b[2].jsonl"]
    assert len(shards.pair_files(inbox / "b[2].csv", tmp_path / "out")) == 1


def test_a_missing_network_is_named(inbox, tmp_path):
    """A folder without a decision file is refused before anything is written."""
    with pytest.raises(ValueError, match="there is no saved network in"):
        shards.score_shards(tmp_path / "none", inbox, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_ray_the_extra_is_named(saved, inbox, tmp_path, monkeypatch):
    """One sentence says what to install."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match=r"ray is missing: pip install .*\[cluster\]"):
        shards.score_shards(saved, inbox, tmp_path / "out", engine="ray")


def test_a_killed_worker_costs_nothing(saved, texts, tmp_path):
    """Two Ray workers, one killed in the midst of a file: the files are those of one process."""
    pytest.importorskip("ray")
    inbox, out = tmp_path / "inbox", tmp_path / "out"
    inbox.mkdir()
    for k in range(4):
        rows = texts * 3
        pd.DataFrame({"id": range(len(rows)), "text": rows}).to_csv(
            inbox / f"part-{k}.csv", index=False
        )
    killed, over = [], threading.Event()

    def kill():
        """Wait for a file with some chunks done, and kill the process that has its lock."""
        while not over.is_set() and not killed:
            for parts in out.glob("*.parts"):
                lock = str(parts.with_name(f".{parts.name.removesuffix('.parts')}.lock"))
                if not 5 <= len(list(parts.glob("*.sum"))) <= 100:
                    continue
                for process in psutil.process_iter():
                    try:
                        if not process.name().startswith("ray::"):
                            continue
                        if lock in [one.path for one in process.open_files()]:
                            os.kill(process.pid, signal.SIGKILL)
                            killed.append(process.pid)
                            return
                    except psutil.Error:
                        continue
            time.sleep(0.01)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        done = shards.score_shards(saved, inbox, out, engine="ray", workers=2, chunk=4)
    finally:
        over.set()
        thread.join()
    assert killed and done == shards.ScoredShards(files=4, rows=2400, bad=0, before=0)
    assert contents(out) == each_alone(saved, inbox, tmp_path / "alone", chunk=4)
