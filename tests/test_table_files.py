"""A table in a file becomes a task; the kind follows from its columns."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers.table_files import describe, file_task, label_sets, likely_separator
from helpers.tables import read_all


def write(path, rows):
    """Write rows in the format of the name."""
    if path.name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        pd.DataFrame(rows).to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.jsonl", "t.parquet"])
def test_every_format_gives_the_same_task(tmp_path, name):
    """Two labels are yes or no, whatever the format; the texts and parts are the same."""
    rows = [{"message": f"text number {i}", "urgent": ("no", "yes")[i % 3 == 0]} for i in range(60)]
    task = file_task(write(tmp_path / name, rows), text="message", labels=["urgent"])
    assert task.kind == "binary" and task.label_names == ("no", "yes")
    first = file_task(write(tmp_path / "x.csv", rows), text="message", labels=["urgent"])
    assert task.train.texts == first.train.texts and task.name == name


def test_the_kind_follows_from_the_columns(tmp_path):
    """Three names are one of many; several columns, a list or a separator are any of many."""
    texts = [f"text number {i}" for i in range(60)]
    sets = [[("a", "b", "c")[k] for k in range(3) if (i >> k) & 1] for i in range(60)]
    one = [{"text": t, "label": "abc"[i % 3]} for i, t in enumerate(texts)]
    lists = [{"text": t, "label": s} for t, s in zip(texts, sets, strict=True)]
    cells = [{"text": t, "label": "; ".join(s)} for t, s in zip(texts, sets, strict=True)]
    wide = [
        {"text": t, **{n: int(n in s) for n in "abc"}} for t, s in zip(texts, sets, strict=True)
    ]
    assert file_task(write(tmp_path / "one.csv", one)).kind == "multiclass"
    tasks = [
        file_task(write(tmp_path / "l.jsonl", lists)),
        file_task(write(tmp_path / "s.csv", cells), separator=";"),
        file_task(write(tmp_path / "w.csv", wide), labels=["a", "b", "c"]),
    ]
    for task in tasks:
        assert task.kind == "multilabel" and task.label_names == ("a", "b", "c")
        assert task.train.texts == tasks[0].train.texts
        assert np.array_equal(task.train.labels, tasks[0].train.labels)


def test_a_split_column_is_honoured(tmp_path):
    """Given parts are taken, under their usual names."""
    rows = [
        {"text": f"text {i}", "label": i % 2, "part": ("train", "dev", "Test")[i // 20]}
        for i in range(60)
    ]
    task = file_task(write(tmp_path / "t.csv", rows), split="part")
    assert [len(p) for p in (task.train, task.validation, task.test)] == [20, 20, 20]
    assert task.validation.texts[0] == "text 20"


def test_what_a_task_is_is_said(tmp_path):
    """The kind, which label is 1, the parts and the rare labels are named before training."""
    rows = [{"text": f"text {i}", "label": ("no", "yes")[i % 10 == 0]} for i in range(100)]
    lines = describe(file_task(write(tmp_path / "t.csv", rows)))
    assert lines[0] == "kind: binary, yes or no: yes is 1, no is 0"
    assert lines[1] == "rows: train 60, validation 20, test 20"
    assert lines[2].endswith("yes 2")


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("text,label\na,x\nb,y\n", {"labels": ["lable"]}, "did you mean 'label'"),
        ("text,label\na,x\nb\n", {}, "row 2: expected 2 cells, got 1"),
        ("text,label\na,x\nb,y\n", {}, "which of 'x' and 'y' is the positive label"),
        ("text,label\na,x\nb,y\n", {"separator": ";", "positive": "x"}, "--positive is for two"),
        ("text,a,b\nt,0,1\nu,1,0\n", {"labels": ["a", "b"], "positive": "a"}, "one label column"),
        (
            "text,label\n" + "".join(f"t{i},id{i}\n" for i in range(30)),
            {},
            "30 different values in 30 rows: is it an id",
        ),
    ],
)
def test_a_table_that_cannot_train_is_refused(tmp_path, content, options, words):
    """One sentence says what is wrong with the table, before any work."""
    (tmp_path / "t.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        file_task(tmp_path / "t.csv", **options)


def test_a_path_that_is_no_file_is_said(tmp_path):
    """A folder and a missing file are told apart."""
    with pytest.raises(ValueError, match="is not there"):
        read_all(tmp_path / "none.csv", ["text"])
    with pytest.raises(ValueError, match="is a folder"):
        read_all(tmp_path, ["text"])


def many(separator, sets):
    """Make a row for each set, its labels in one cell."""
    return [{"text": f"text {i}", "label": separator.join(s)} for i, s in enumerate(sets)]


SETS = [
    [("home", "water", "roads")[k] for k in range(3) if (i >> k) & 1] for i in range(60) if i % 8
]


@pytest.mark.parametrize("separator", [",", ";", "|", ", "])
def test_several_labels_in_a_cell_never_become_as_many_classes(tmp_path, separator):
    """Cells with shared parts are refused with the separator to say; with it they are labels."""
    path = write(tmp_path / "t.csv", many(separator, SETS))
    sign = separator.strip()
    words = rf"several labels in one cell, as .*: say --separator '\{sign}', or --kind multiclass"
    with pytest.raises(ValueError, match=words):
        file_task(path)
    assert file_task(path, separator=sign).label_names == ("home", "roads", "water")
    assert file_task(path, kind="multiclass").kind == "multiclass"


def test_a_comma_in_the_name_of_a_class_is_no_separator():
    """Names whose parts occur together alone are names."""
    assert likely_separator(["Food, drink", "Roads, paths", "Water"] * 20) is None
    assert likely_separator(["yes", "no"]) is None and likely_separator([]) is None


def test_the_kind_can_be_settled(tmp_path):
    """Two labels can be one of two; a single label, or one column of 0 and 1, many labels."""
    rows = [{"text": f"text {i}", "label": "ab"[i % 2], "mark": i % 2} for i in range(60)]
    path = write(tmp_path / "t.csv", rows)
    two = file_task(path, kind="multiclass")
    assert two.kind == "multiclass" and two.label_names == ("a", "b")
    tens = [{"text": f"text {i}", "label": 9 + i % 3} for i in range(60)]
    ordered = file_task(write(tmp_path / "n.csv", tens), kind="multiclass")
    assert ordered.label_names == ("9", "10", "11")
    assert file_task(path, kind="binary", positive="a").label_names == ("b", "a")
    each = file_task(path, kind="multilabel")
    assert each.kind == "multilabel" and each.label_names == ("a", "b")
    one = file_task(path, labels=["mark"], kind="multilabel")
    assert one.label_names == ("mark",) and set(one.train.labels.ravel()) == {0, 1}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "odd"}, "kind must be one of binary, multiclass, multilabel, got 'odd'"),
        ({"kind": "binary"}, "--kind binary takes two labels, got 3: 'a', 'b', 'c'"),
        ({"kind": "binary", "separator": ";"}, "--kind binary takes one column with one label"),
        ({"kind": "multiclass", "labels": ["x", "y"]}, "--kind multiclass takes one column"),
        ({"kind": "multiclass", "positive": "a"}, "--positive is for yes/no"),
    ],
)
def test_a_kind_that_does_not_go_with_the_columns_is_refused(tmp_path, options, words):
    """The kind that is said is held against what the table holds."""
    rows = [{"text": f"text {i}", "label": "abc"[i % 3], "x": 0, "y": 1} for i in range(60)]
    with pytest.raises(ValueError, match=words):
        file_task(write(tmp_path / "t.csv", rows), **options)


@pytest.mark.parametrize(
    "marks", [("no", "yes"), ("0", "1"), ("False", "True"), ("NO", "Yes"), (False, True)]
)
def test_columns_of_marks_are_read_however_they_are_written(tmp_path, marks):
    """For many labels yes and no, 0 and 1, True and False are taken, as for one."""
    rows = [{"text": f"text {i}", "a": marks[i % 2], "b": marks[i % 3 == 0]} for i in range(60)]
    task = file_task(write(tmp_path / "t.csv", rows), labels=["a", "b"])
    assert task.train.labels.mean(axis=0) == pytest.approx([1 / 2, 1 / 3])


def test_small_parts_are_said(tmp_path):
    """Parts of fewer than 20 rows are named, before the training."""
    rows = [{"text": f"text {i}", "label": i % 2} for i in range(60)]
    lines = describe(file_task(write(tmp_path / "t.csv", rows)))
    assert "fewer than 20 rows: validation, test; figures there are mostly chance" in lines
    assert not any(
        "fewer" in line
        for line in describe(
            file_task(
                write(
                    tmp_path / "t.csv", [{"text": f"text {i}", "label": i % 2} for i in range(100)]
                )
            )
        )
    )


@pytest.mark.parametrize("written", [str, json.dumps])
def test_lists_that_were_written_into_cells_are_lists(tmp_path, written):
    """What pandas makes of lists in CSV is read as lists again, empty ones too."""
    rows = [{"text": f"text {i}", "label": written(s)} for i, s in enumerate([*SETS, [], []])]
    path = write(tmp_path / "t.csv", rows)
    for separator in (None, ","):
        task = file_task(path, separator=separator)
        assert task.kind == "multilabel" and task.label_names == ("home", "roads", "water")


@pytest.mark.parametrize("cell", ["['home' 'water']", "[home, water]", "[1, [2]", "[" * 9 + "]"])
def test_a_cell_that_only_looks_like_a_list_is_named(cell):
    """It is never taken for another list, nor for one label."""
    with pytest.raises(
        ValueError, match=r"row 2: expected a list as \['home', 'water'\], got ['\"]\["
    ):
        label_sets(["['home']", cell])


def test_labels_that_a_taken_part_lacks_are_named(tmp_path):
    """Where the validation part is taken from train, a label that it cannot get is named."""
    rows = [
        {
            "text": f"text {i}",
            "label": "home;rare" if i == 0 else ("home", "road")[i % 2],
            "part": part,
        }
        for i, part in enumerate(["train"] * 30 + ["test"] * 10)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.warns(UserWarning, match=r"missing from a part: rare$"):
        file_task(tmp_path / "mine.csv", labels=["label"], separator=";", split="part")
