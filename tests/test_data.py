"""Claims about helpers.data, tables and hub: what becomes a task, and what is refused."""

import dataclasses
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import SPLITS, Part, Task, check_task, label_table_task, table_task
from helpers.hub import hub_label_task, hub_other_texts, hub_task
from helpers.messages import corpus_task


@pytest.mark.parametrize("n", [1, 100])
def test_with_fewer_keeps_a_part_of_the_training_texts(n):
    """Some training texts are kept with their labels; validation and test stay."""
    task = corpus_task("urgent")
    fewer = task.with_fewer(n, seed=3)
    assert len(fewer.train) == len(set(fewer.train.texts)) == n
    assert fewer.validation is task.validation and fewer.test is task.test
    label_of = dict(zip(task.train.texts, task.train.labels, strict=True))
    assert [label_of[text] for text in fewer.train.texts] == fewer.train.labels.tolist()
    assert fewer.train.texts == tuple(fewer.train.rows["text"])
    assert fewer.train.texts == task.with_fewer(n, seed=3).train.texts
    assert fewer.train.texts != task.with_fewer(n, seed=4).train.texts


def test_with_fewer_loses_no_label_to_chance():
    """Of 49 intents 49 texts keep one each; where nothing was lost the texts are a plain draw."""
    task = corpus_task("intent")
    assert sorted(task.with_fewer(49).train.labels) == list(range(49))
    assert len(set(task.with_fewer(60, seed=1).train.labels)) == 49
    drawn = np.sort(np.random.default_rng(0).permutation(len(task.train))[:1000])
    assert task.with_fewer(1000).train.texts == tuple(task.train.texts[i] for i in drawn)


def test_with_fewer_refuses_other_numbers():
    """One text at least, and no more than there are."""
    task = corpus_task("urgent")
    for n in (0, -1, len(task.train) + 1, True, 2.0):
        with pytest.raises(ValueError, match=f"between 1 and {len(task.train)}, got {n}"):
            task.with_fewer(n)
    assert len(task.with_fewer(np.int64(len(task.train))).train) == len(task.train)


# Tables


def own_table(n=100, names=("no", "yes"), **columns):
    """A table of one's own, the labels in turn."""
    label = [names[i % len(names)] for i in range(n)]
    table = pd.DataFrame({"text": [f"text {i}" for i in range(n)], "label": label})
    return table.assign(**columns)


def test_table_with_its_own_split():
    """A column of splits is followed, and indices follow the sorted labels."""
    part_of = ["train"] * 60 + ["validation"] * 10 + ["test"] * 30
    task = table_task(own_table(part=part_of), name="mine", split="part")
    assert (task.name, task.kind, task.label_names) == ("mine", "binary", ("no", "yes"))
    assert [len(getattr(task, s)) for s in SPLITS] == [60, 10, 30]
    assert task.test.texts[0] == "text 70"
    assert task.test.labels.tolist() == [0, 1] * 15 and task.test.labels.dtype == np.int64


def test_table_is_split_in_like_shares():
    """Each label goes to the three parts in its shares; every row goes somewhere, once."""
    table = own_table(300, names=("a", "b", "b", "c", "c", "c"))
    task = table_task(table, name="mine", validation=0.1, test=0.3, seed=1)
    assert task.kind == "multiclass"
    counts = {s: np.bincount(getattr(task, s).labels).tolist() for s in SPLITS}
    assert counts == {"train": [30, 60, 90], "validation": [5, 10, 15], "test": [15, 30, 45]}
    texts = [text for s in SPLITS for text in getattr(task, s).texts]
    assert sorted(texts) == sorted(table["text"])
    again = table_task(table, name="mine", validation=0.1, test=0.3, seed=1)
    other = table_task(table, name="mine", validation=0.1, test=0.3, seed=2)
    assert again.train.texts == task.train.texts != other.train.texts


def test_table_index_does_not_matter():
    """Rows are taken by place: a table cut out of another works the same."""
    table = own_table()
    moved = table.set_index(np.arange(100)[::-1] + 7)
    assert table_task(moved, name="a").test.texts == table_task(table, name="a").test.texts


def test_copies_of_a_text_share_a_part():
    """A text that occurs twice, letter case and spaces aside, is never in two parts."""
    table = own_table()
    table = pd.concat([table, table.assign(text=table["text"].str.upper() + " ")])
    task = table_task(table, name="mine", seed=3)
    parts = [{t.casefold().strip() for t in getattr(task, s).texts} for s in SPLITS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(table) / 2


def test_label_list_gives_the_order():
    """A list of labels, in anything that has an order, sets the indices."""
    table = own_table(names=("no", "maybe", "yes"))
    order = ["yes", "maybe", "no"]
    for names in (order, np.array(order), pd.Index(order), dict(enumerate(order)).values()):
        task = table_task(table, name="mine", label_names=names)
        assert task.kind == "multiclass" and task.label_names == tuple(order)
        assert task.train.labels.tolist() == [order.index(x) for x in task.train.rows["label"]]


def test_other_column_names():
    """Text and label may have names of their own; whole-number labels become names."""
    table = pd.DataFrame({"sms": [f"t{i}" for i in range(20)], "spam": [0, 1] * 10})
    assert table_task(table, name="sms", text="sms", label="spam").label_names == ("0", "1")


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        (own_table().drop(columns="label"), {}, "columns missing: label; found text"),
        (own_table(), {"text": "body", "split": "part"}, "columns missing: body, part"),
        (own_table(text=["a", " ", None, "b"] * 25), {}, "50 empty texts, first in row 1"),
        (own_table(), {"label_names": ["no", "maybe"]}, "outside the list: 'yes'; the list is"),
        (own_table(label=["no", None] * 50), {}, "50 rows without a label, first in row 1"),
        (own_table(label=["no", "yes", None, "no"] * 25), {}, "label"),
        (own_table(names=("no",)), {}, "two different labels or more, got"),
        (own_table(part="train"), {"split": "part"}, "the part validation is empty"),
        (own_table(part="holdout"), {"split": "part"}, "part must be one of .*, got 'holdout'"),
        (own_table(2), {}, "3 parts need at least as many different texts or groups, got 2"),
        (own_table(4), {}, "the validation part has no row with the label (yes|no): no threshold"),
        (own_table(), {"validation": 0.0}, "shares above 0 with a sum below 1, got 0.0 and 0.2"),
        (own_table(), {"validation": 0.5, "test": 0.5}, "shares above 0 with a sum below 1"),
    ],
)
def test_table_refuses(table, options, words):
    """Each fault of a table or its options is refused in words that name it."""
    with pytest.raises(ValueError, match=words):
        table_task(table, name="mine", **options)


# The Hub, without a network


def on_the_hub(monkeypatch, labels, splits=SPLITS, kind=None):
    """Stand in for the Hub: a data set with these labels in each split."""
    kind = kind or datasets.ClassLabel(names=["ham", "spam"])
    features = datasets.Features({"text": datasets.Value("string"), "label": kind})
    calls = []

    def load(repository, configuration, *, revision):
        calls.append((repository, configuration, revision))
        return datasets.DatasetDict(
            {
                s: datasets.Dataset.from_dict(
                    {"text": [f"{s} {i}" for i in range(len(labels))], "label": labels},
                    features=features,
                )
                for s in splits
            }
        )

    monkeypatch.setattr(datasets, "load_dataset", load)
    return calls


def test_hub_task_keeps_three_splits(monkeypatch):
    """A data set with the three parts is taken as it is, at the given commit."""
    calls = on_the_hub(monkeypatch, [0, 1, 1])
    task = hub_task("owner/name", revision="abc", configuration="plain")
    assert calls == [("owner/name", "plain", "abc")]
    assert task.label_names == ("ham", "spam") and task.kind == "binary"
    assert task.validation.texts == ("validation 0", "validation 1", "validation 2")
    assert task.validation.labels.tolist() == [0, 1, 1]


def test_hub_task_splits_what_has_no_three_parts(monkeypatch):
    """A data set without a validation part is split at random, none of its rows lost."""
    on_the_hub(monkeypatch, [0, 1] * 25, splits=("train", "test"))
    task = hub_task("owner/name", revision="abc")
    assert [len(getattr(task, s)) for s in SPLITS] == [60, 20, 20]


def test_hub_task_takes_whole_numbers_as_labels(monkeypatch):
    """A label column of whole numbers gives their names, in the order of size."""
    on_the_hub(monkeypatch, [10, 9, 2], kind=datasets.Value("int64"))
    task = hub_task("owner/name", revision="abc")
    assert task.label_names == ("2", "9", "10") and task.test.labels.tolist() == [2, 1, 0]


def test_hub_task_takes_labels_that_are_names(monkeypatch):
    """Labels that are text give the names that occur, sorted; an unlabelled row is refused."""
    on_the_hub(monkeypatch, ["spam", "ham", "other"], kind=datasets.Value("string"))
    task = hub_task("owner/name", revision="abc")
    assert task.label_names == ("ham", "other", "spam") and task.test.labels.tolist() == [2, 0, 1]
    on_the_hub(monkeypatch, ["spam", "ham", None], kind=datasets.Value("string"))
    with pytest.raises(ValueError, match="3 rows without a label"):
        hub_task("owner/name", revision="abc")


def test_hub_task_asks_which_name_is_positive(monkeypatch):
    """Two names of text need `positive`; a ClassLabel has an order, which `positive` changes."""
    on_the_hub(monkeypatch, ["hate", "neutral"], kind=datasets.Value("string"))
    with pytest.raises(ValueError, match="which of 'hate' and 'neutral' is the positive label"):
        hub_task("owner/name", revision="abc")
    task = hub_task("owner/name", revision="abc", positive="hate")
    assert task.label_names == ("neutral", "hate") and task.train.labels.tolist() == [1, 0]
    on_the_hub(monkeypatch, [0, 1])
    task = hub_task("owner/name", revision="abc", positive="ham")
    assert task.label_names == ("spam", "ham") and task.train.labels.tolist() == [1, 0]


def test_hub_task_refuses_lists_and_missing_columns(monkeypatch):
    """Several labels a text, or a column that is not there, are refused in a sentence."""
    on_the_hub(monkeypatch, [[0], [1]], kind=datasets.List(datasets.Value("int64")))
    with pytest.raises(ValueError, match="one label a text is expected, got"):
        hub_task("owner/name", revision="abc")
    with pytest.raises(ValueError, match="columns missing: tag; found text, label"):
        hub_task("owner/name", revision="abc", label="tag")


def test_hub_parts_may_have_synonyms(monkeypatch):
    """Parts named in other common ways are the three parts; further ones are left out."""
    on_the_hub(monkeypatch, [0, 1], splits=("Train", "dev", "TEST", "extra"))
    task = hub_task("owner/name", revision="abc")
    assert [getattr(task, s).texts[0] for s in SPLITS] == ["Train 0", "dev 0", "TEST 0"]


def test_hub_task_refuses_rows_without_a_label(monkeypatch):
    """A label of -1, the Hub's mark for an unlabelled row, is not taken for the last class."""
    on_the_hub(monkeypatch, [0, 1, -1])
    with pytest.raises(ValueError, match="label"):
        hub_task("owner/name", revision="abc")


# Many labels


def label_table(n=20):
    """A table of texts with two 0/1 columns; some rows have neither."""
    return pd.DataFrame(
        {
            "text": [f"text {i}" for i in range(n)],
            "a": [1, 0, 0, 0] * (n // 4),
            "b": [0, 1] * (n // 2),
        }
    )


def test_label_table_task():
    """Columns of 0 and 1 become a multilabel task; rows without a label are kept."""
    task = label_table_task(label_table(), name="mine", labels=["a", "b"], label_names=["A", "B"])
    assert task.kind == "multilabel" and task.label_names == ("A", "B")
    assert [len(getattr(task, s)) for s in SPLITS] == [12, 4, 4]
    assert task.train.labels.dtype == np.float32
    whole = np.concatenate([getattr(task, s).labels for s in SPLITS])
    assert whole.sum(axis=0).tolist() == [5, 10] and (whole.sum(axis=1) == 0).sum() == 5
    for s in SPLITS:
        part = getattr(task, s)
        assert part.rows[["a", "b"]].to_numpy().tolist() == part.labels.tolist()


def test_label_table_task_with_its_own_split():
    """A split column decides where there is one."""
    rows = label_table(4).assign(split=["train", "test", "validation", "train"])
    task = label_table_task(rows, name="mine", labels=["a", "b"], split="split")
    assert task.train.texts == ("text 0", "text 3") and task.test.labels.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, {"labels": ["a", "c"]}, "columns missing: c; found text, a, b"),
        ({"a": 2}, {}, "a must be 0 or 1, got 2"),
        ({"text": " "}, {}, "20 empty texts, first in row 0"),
        ({}, {"label_names": ["A"]}, "one different name for each of 2 labels"),
        ({}, {"label_names": ["A", "A"]}, "one different name"),
        ({"split": "own"}, {"split": "split"}, "split must be one of .*, got 'own'"),
        ({"split": "train"}, {"split": "split"}, "the part validation is empty"),
    ],
)
def test_label_table_task_refuses(change, options, words):
    """Tables that do not fit are refused by what is wrong with them."""
    with pytest.raises(ValueError, match=words):
        rows = label_table().assign(**change)
        label_table_task(rows, **{"name": "mine", "labels": ["a", "b"], **options})


@pytest.fixture
def hub(monkeypatch):
    """Stand in for the Hub: `load_dataset` gives what the test puts there."""
    given = {}

    def load(repository, configuration, *, revision):
        given["asked"] = (repository, configuration, revision)
        return given["data"]

    monkeypatch.setattr(datasets, "load_dataset", load)
    return given


def test_hub_label_task_reads_columns_of_truths(hub):
    """Boolean columns become labels, and a missing validation part is taken from training."""
    rows = label_table(40).astype({"a": bool, "b": bool})
    hub["data"] = datasets.DatasetDict(
        train=datasets.Dataset.from_pandas(rows), test=datasets.Dataset.from_pandas(rows[:8])
    )
    task = hub_label_task("someone/some", revision="abc", labels=("a", "b"))
    assert hub["asked"] == ("someone/some", None, "abc")
    assert [len(getattr(task, s)) for s in SPLITS] == [32, 8, 8]
    assert task.test.texts == tuple(rows["text"][:8]) and task.label_names == ("a", "b")


def test_hub_label_task_reads_lists_of_labels(hub):
    """Lists of ClassLabels become 0/1 columns, with the names that are given."""
    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "label": datasets.List(datasets.ClassLabel(names=["10", "20", "30"])),
        }
    )
    part = datasets.Dataset.from_dict(
        {"text": ["x", "y", "z"], "label": [[0, 2], [], [1]]}, features=features
    )
    hub["data"] = datasets.DatasetDict(train=part, validation=part, test=part)
    task = hub_label_task("a/b", revision="c", labels="label", names={"10": "social questions"})
    assert task.label_names == ("social questions", "20", "30")
    assert task.train.labels.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]


def test_hub_label_task_takes_numbers_where_names_give_their_order(hub):
    """Lists of plain whole numbers mean the names in order; without these they are refused."""
    numbers = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.List(datasets.Value("int64"))}
    )
    part = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [[1], [0, 1]]}, numbers)
    hub["data"] = datasets.DatasetDict(train=part, validation=part, test=part)
    task = hub_label_task("a/b", revision="c", labels="label", names={"9": "law", "8": "trade"})
    assert task.label_names == ("law", "trade")
    assert task.train.labels.tolist() == [[0, 1], [1, 1]]
    with pytest.raises(ValueError, match="no column 'label' that lists ClassLabels"):
        hub_label_task("a/b", revision="c", labels="label")


def test_hub_label_task_leaves_rows_out(hub):
    """Rows of another kind, rows without a label, and rows beyond a number are left out."""
    rows = {
        "text": [f"text {i}" for i in range(40)],
        "kind": ["OFF" if i % 2 else "NOT" for i in range(40)],
        "a": [i % 4 == 1 for i in range(40)],
        "b": [i % 8 == 3 for i in range(40)],
    }
    part = datasets.Dataset.from_dict(rows)
    hub["data"] = datasets.DatasetDict(train=part, validation=part, test=part)
    options = {"revision": "c", "labels": ("a", "b"), "only": {"kind": "OFF"}}
    assert len(hub_label_task("a/b", **options).train) == 20
    task = hub_label_task("a/b", **options, unlabelled=False, most={"train": 9})
    assert [len(p) for p in (task.train, task.validation, task.test)] == [9, 15, 15]
    assert task.test.labels.any(axis=1).all()


def test_hub_task_leaves_other_labels_out(monkeypatch):
    """Labels to be unknown stand in no part, their texts apart; a name that is none is said."""
    on_the_hub(monkeypatch, [0, 1, 2, 2], kind=datasets.ClassLabel(names=["a", "b", "oos"]))
    task = hub_task("owner/name", revision="abc", other=("oos",))
    assert task.label_names == ("a", "b") and len(task.test) == 2
    assert len(hub_other_texts("owner/name", revision="abc", other=("oos",))) == 2
    with pytest.raises(ValueError, match="owner/name has no label nothing to leave out"):
        hub_task("owner/name", revision="abc", other=("nothing",))


def test_hub_task_puts_configurations_together(monkeypatch):
    """Each configuration's parts join those of the others."""
    calls = on_the_hub(monkeypatch, [0, 1])
    task = hub_task("owner/name", revision="abc", configuration=("de", "en"))
    assert len(task.train) == 4 and len(calls) == 2


@pytest.mark.parametrize(
    ("parts", "labels", "words"),
    [
        (("train",), ("a", "b"), r"the parts train and test, got \['train'\]"),
        (("train", "test"), "a", "no column 'a' that lists ClassLabels"),
        (("train", "test"), "z", "no column 'z'"),
    ],
)
def test_hub_label_task_refuses(hub, parts, labels, words):
    """Data sets without the parts or the columns are refused."""
    part = datasets.Dataset.from_pandas(label_table())
    hub["data"] = datasets.DatasetDict(dict.fromkeys(parts, part))
    with pytest.raises(ValueError, match=words):
        hub_label_task("a/b", revision="c", labels=labels)


# Tables as people have them


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ([0, "0", 1, "1"], ("0", "1")),
        ([1.0, 0.0], ("0", "1")),
        (["yes", "yes ", "no", " no"], ("no", "yes")),
        (["Yes", "No"], ("No", "Yes")),
        ([True, False], ("False", "True")),
        (pd.Categorical(["no", "yes"] * 50, categories=["yes", "no", "maybe"]), ("no", "yes")),
        (pd.array([1, 0] * 50, dtype="Int64"), ("0", "1")),
        (pd.array([True, False] * 50, dtype="boolean"), ("False", "True")),
        (pd.array(["yes", "no"] * 50, dtype="string"), ("no", "yes")),
        ([10, 9, -1, 2], ("-1", "2", "9", "10")),
    ],
)
def test_labels_in_many_dresses_are_understood(cells, names):
    """Mixed types, spaces, nullable and categorical columns give the labels that are meant."""
    cells = list(cells) * (100 // len(cells))
    task = table_task(own_table(label=cells), name="mine")
    assert task.label_names == names and task.train.labels.dtype == np.int64
    for s in SPLITS:
        part = getattr(task, s)
        wanted = [
            str(cell if isinstance(cell, str | bool) else int(cell)).strip()
            for cell in part.rows["label"].tolist()
        ]
        assert [names[k] for k in part.labels] == wanted


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["yes", "Yes"], "one thing in different spellings: 'Yes', 'yes'; write them one way"),
        ([True, 0, 1, False], "one thing in different spellings: '0', 'False'"),
        ([["a"], ["a", "b"]], r"one label a text is expected, got \['a'\].*label_table_task"),
        ([{"a": 1}, {"b": 1}], "one label a text is expected"),
        ([0.5, 1.0], "a label must be a name or a whole number, got 0.5"),
        (["no", " "], "50 rows without a label, first in row 1"),
        ([float("inf"), 1.0], "a name or a whole number, got inf"),
        (pd.array([1, None] * 50, dtype="Int64"), "50 rows without a label, first in row 1"),
        (pd.Categorical(["no", None] * 50), "50 rows without a label"),
    ],
)
def test_labels_that_are_none_are_refused(cells, words):
    """Lists, fractions, blanks, and one label in two spellings are refused in a sentence."""
    cells = list(cells) * (100 // len(cells))
    with pytest.raises(ValueError, match=words):
        table_task(own_table(label=pd.Series(cells, dtype=object)), name="mine")


def test_listed_labels_may_differ_in_letter_case_alone():
    """Who lists two such labels means two."""
    task = table_task(own_table(names=("US", "us")), name="mine", label_names=["us", "US"])
    assert task.label_names == ("us", "US")


def test_the_positive_label_is_said_never_guessed():
    """Of two names, `positive` or an order says which is 1; the alphabet does not."""
    rows = own_table(names=("hate", "neutral"))
    words = "which of 'hate' and 'neutral' is the positive label.*say positive='hate' or"
    with pytest.raises(ValueError, match=words):
        table_task(rows, name="mine")
    for options in ({"positive": "hate"}, {"label_names": ["neutral", "hate"]}):
        task = table_task(rows, name="mine", **options)
        assert task.label_names == ("neutral", "hate")
        assert task.test.labels.tolist() == (task.test.rows["label"] == "hate").tolist()
    assert table_task(own_table(), name="a", positive="no").label_names == ("yes", "no")
    assert table_task(own_table(names=(0, 1)), name="a", positive=0).label_names == ("1", "0")


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        (("a", "b"), {"positive": "c"}, "one of the two labels 'a' and 'b', got 'c'"),
        (("a", "b", "c"), {"positive": "a"}, "positive is for two labels, got 3"),
        (
            ("a", "b"),
            {"positive": "a", "label_names": ["a", "b"]},
            "the second of the two labels 'a' and 'b', got 'a'",
        ),
        (("1", "2"), {}, "which of '1' and '2' is the positive label"),
        (
            ("no", "yes"),
            {"label_names": {"no", "yes"}},
            "must have an order, got a set: give a list",
        ),
        (("no", "yes"), {"label_names": frozenset("ab")}, "an order, got a frozenset"),
        (("no", "yes"), {"label_names": "no"}, "must be a list of names, got the string 'no'"),
        (("no", "yes"), {"label_names": {0: "no"}}, "a list of names, got dict"),
        (("no", "yes"), {"label_names": 2}, "a list of names, got int"),
    ],
)
def test_names_without_order_are_refused(names, options, words):
    """A positive label that is none, and names in a set, a string or a dict, are refused."""
    with pytest.raises(ValueError, match=words):
        table_task(own_table(names=names), name="mine", **options)


@pytest.mark.parametrize("make", [datasets.Dataset.from_pandas, lambda t: t.to_dict("records")])
def test_other_kinds_of_tables_are_taken(make):
    """A Dataset and a list of dicts give the task that the DataFrame gives."""
    one, other = (table_task(rows, name="mine") for rows in (own_table(), make(own_table())))
    assert one.train.texts == other.train.texts and one.label_names == other.label_names
    rows = make(label_table())
    assert label_table_task(rows, name="mine", labels=["a", "b"]).train.labels.shape == (12, 2)


def test_a_dataset_with_class_labels_brings_their_names():
    """Indices of a ClassLabel become its names, in its order, unless another list is given."""
    features = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["b", "a"])}
    given = own_table(names=(0, 1)).to_dict("list")
    rows = datasets.Dataset.from_dict(given, features=datasets.Features(features))
    task = table_task(rows, name="mine")
    assert task.label_names == ("b", "a")
    assert [("b", "a")[k] for k in task.train.labels] == task.train.rows["label"].tolist()
    assert table_task(rows, name="mine", positive="b").label_names == ("a", "b")
    assert table_task(rows, name="mine", label_names=["a", "b"]).label_names == ("a", "b")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("inbox.csv", "got the path 'inbox.csv': file_task"),
        (Path("inbox.csv"), "got the path 'inbox.csv': file_task"),
        ({"text": ["a"]}, "a list of dicts, got dict"),
        (None, "a list of dicts, got NoneType"),
        (["a", "b"], "a list of dicts, got list"),
        ([], "a table with rows, got an empty one"),
        (own_table(0), "a table with rows, got an empty one"),
        (datasets.DatasetDict(), "a list of dicts, got DatasetDict"),
    ],
)
def test_what_is_no_table_is_refused(rows, words):
    """A path and other things get a sentence, in both makers of tasks."""
    with pytest.raises(ValueError, match=words):
        table_task(rows, name="mine")
    with pytest.raises(ValueError, match=words):
        label_table_task(rows, name="mine", labels=["a", "b"])


def test_two_columns_of_one_name_are_refused():
    """Where a column stands twice, or is asked to be two things, the sentence names it."""
    rows = own_table()
    double = pd.concat([rows, rows["text"]], axis=1)
    with pytest.raises(ValueError, match="two columns have one name: text"):
        table_task(double, name="mine")
    with pytest.raises(ValueError, match="two columns have one name: text"):
        label_table_task(double, name="mine", labels=["label"])
    with pytest.raises(ValueError, match="cannot be two things: text is named twice"):
        table_task(rows, name="mine", label="text")
    unused = pd.concat([rows.assign(note=1), rows.assign(note=2)["note"]], axis=1)
    assert len(table_task(unused, name="mine").train) == 60


@pytest.mark.parametrize("cell", [["a"], b"a", True, pd.Timestamp(0)])
def test_what_is_no_text_is_refused(cell):
    """A list or bytes in the column of texts is refused with its row, not shown as text."""
    texts = pd.Series([*own_table()["text"][:99], cell], dtype=object)
    with pytest.raises(ValueError, match=r"text must hold texts, got .* in row 99"):
        table_task(own_table(text=texts), name="mine")


def test_names_of_parts_may_be_synonyms():
    """The usual names of the parts are understood in any letter case."""
    names = ["Train", "training ", "dev", "Valid", "VAL", "development", "Test", "testing"]
    rows = own_table(96, part=[name for name in names for _ in range(12)])
    assert [len(getattr(table_task(rows, name="a", split="part"), s)) for s in SPLITS] == [
        24,
        48,
        24,
    ]
    rows = label_table(96 // 4 * 4).assign(part=rows["part"])
    task = label_table_task(rows, name="a", labels=["a", "b"], split="part")
    assert [len(getattr(task, s)) for s in SPLITS] == [24, 48, 24]


@pytest.mark.parametrize(
    ("no", "yes"), [("no", "Yes "), ("0", "1"), ("False", "true"), (0.0, True), (False, "yes")]
)
def test_truths_in_many_dresses(no, yes):
    """Yes and no, 0 and 1, False and True are taken as such and as text."""
    plain = label_table()
    rows = plain.assign(a=pd.Series([yes if x else no for x in plain["a"]], dtype=object))
    tasks = [label_table_task(t, name="mine", labels=["a", "b"]) for t in (plain, rows)]
    np.testing.assert_array_equal(tasks[0].train.labels, tasks[1].train.labels)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": "ab"}, "labels must be a list of names, got the string 'ab'"),
        ({"labels": {"a", "b"}}, "labels must have an order, got a set"),
        ({"label_names": "AB"}, "label_names must be a list of names, got the string"),
        ({"labels": ["a", "a"]}, "one different name for each of 2 labels"),
        ({"validation": 0.9}, "shares above 0 with a sum below 1, got 0.9 and 0.2"),
        ({"test": "half"}, "shares above 0 with a sum below 1, got 0.2 and 'half'"),
    ],
)
def test_label_table_task_refuses_options(options, words):
    """A string is not walked letter by letter; names and shares must make sense."""
    with pytest.raises(ValueError, match=words):
        label_table_task(label_table(), **{"name": "mine", "labels": ["a", "b"], **options})


@pytest.mark.parametrize("cell", [None, "maybe", 0.5, [1], pd.NA, float("nan")])
def test_what_is_no_truth_is_refused(cell):
    """A cell that is neither 0 nor 1 is refused with what it holds."""
    cells = pd.Series([*label_table()["a"][:19], cell], dtype=object)
    with pytest.raises(ValueError, match="a must be 0 or 1, got "):
        label_table_task(label_table().assign(a=cells), name="mine", labels=["a", "b"])


# Copies, and labels that a part lacks


def test_copies_share_a_part_with_many_labels_too():
    """Copies of a text are never in two parts of a multilabel task."""
    rows = label_table(40)
    rows = pd.concat([rows, rows.assign(text=rows["text"].str.upper() + "\u00a0")])
    task = label_table_task(rows, name="mine", labels=["a", "b"], seed=1)
    parts = [{t.casefold().strip() for t in getattr(task, s).texts} for s in SPLITS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 40


def test_copies_in_a_given_split_are_counted():
    """A given split keeps its copies, and a warning says how many there are in which part."""
    parts = ["train"] * 60 + ["validation"] * 20 + ["test"] * 20
    rows = own_table(part=parts)
    rows.loc[80:83, "text"] = ["TEXT 0", "text  1", "text 60", "text 83"]
    with pytest.warns(UserWarning, match="mine: 3 of 20 test texts also stand in the train or val"):
        task = table_task(rows, name="mine", split="part")
    assert task.test.texts[:3] == ("TEXT 0", "text  1", "text 60")
    rows = rows.assign(label=[i % 2 for i in range(100)])
    with pytest.warns(UserWarning, match="mine: 3 of 20 test texts also stand"):
        label_table_task(rows, name="mine", labels=["label"], split="part")


def test_parts_without_copies_give_no_warning(recwarn):
    """A sound split gives no warning at all."""
    table_task(own_table(part=["train", "test", "dev", "dev", "test"] * 20), name="a", split="part")
    table_task(own_table(), name="a")
    assert [str(w.message) for w in recwarn] == []


def test_hub_validation_part_shares_no_text_with_training(hub):
    """What is taken from the training part for validation leaves no copy behind."""
    rows = label_table(40)
    rows = pd.concat([rows, rows.assign(text=rows["text"] + " ")], ignore_index=True)
    test = label_table(8).assign(text=[f"new {i}" for i in range(8)])
    hub["data"] = datasets.DatasetDict(
        train=datasets.Dataset.from_pandas(rows), test=datasets.Dataset.from_pandas(test)
    )
    task = hub_label_task("someone/some", revision="abc", labels=("a", "b"))
    assert [len(getattr(task, s)) for s in SPLITS] == [64, 16, 8]
    assert not {t.strip() for t in task.train.texts} & {t.strip() for t in task.validation.texts}


def test_two_positive_rows_of_a_thousand_are_enough_to_choose():
    """Two rows of a label go to training and validation, and the missing one is said."""
    rows = own_table(1000, label=["no"] * 998 + ["yes"] * 2)
    for seed in range(5):
        with pytest.warns(UserWarning, match="the test part has no row with the label yes"):
            task = table_task(rows, name="mine", seed=seed)
        assert task.train.labels.sum() == task.validation.labels.sum() == 1


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["no"] * 999 + ["yes"], "validation part has no row with the label yes: no threshold"),
        (["a"] * 99 + ["b"] * 900 + ["c"], "validation part has no row with the label c"),
    ],
)
def test_labels_that_a_part_lacks_are_said_at_once(labels, words):
    """For two labels that is an error, before any training; for more a warning."""
    rows = own_table(1000, label=labels)
    if len(set(labels)) == 2:
        with pytest.raises(ValueError, match=words):
            table_task(rows, name="mine")
    else:
        with pytest.warns(UserWarning, match=words):
            table_task(rows, name="mine")


def test_every_label_needs_a_training_row():
    """A label of the list that no training text has is refused, also with a given split."""
    with pytest.raises(
        ValueError, match="train part has no row with the label maybe, which cannot"
    ):
        table_task(own_table(), name="mine", label_names=["no", "maybe", "yes"])
    rows = own_table(part=["train", "test"] * 40 + ["validation"] * 20)
    with pytest.raises(ValueError, match="train part has no row with the label yes, which cannot"):
        table_task(rows, name="mine", split="part")


# Tasks made by hand


def by_hand(kind="binary", **columns):
    """A task of four texts, its training part with other texts or labels."""
    labels = {"binary": [0, 1, 1, 0], "multiclass": [0, 1, 2, 0], "multilabel": [[0, 1]] * 4}[kind]
    part = Part(("a", "b", "c", "d"), np.array(labels), pd.DataFrame(index=range(4)))
    names = ("x", "y", "z") if kind == "multiclass" else ("x", "y")
    return Task("mine", kind, names, dataclasses.replace(part, **columns), part, part)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (by_hand(texts=("a", "b", "c")), r"of 3 texts must have the shape \(3,\), got \(4,\)"),
        (by_hand(texts=("a", "b", 3, "d")), "train part: text 2 is no str, got 3"),
        (by_hand(texts="abcd"), "a tuple of str, got one str"),
        (by_hand(texts=()), "the train part is empty"),
        (by_hand(labels=np.array([0, 1, 2, 0])), r"between 0 and 1 \(x, y\), got 2"),
        (by_hand(labels=np.array([0, -1, 1, 0])), "between 0 and 1 .*, got -1"),
        (by_hand(labels=np.array([0.0, 1, 1, 0])), "must be whole numbers, got float64"),
        (by_hand(labels=np.array(list("0110"))), "must be whole numbers, got <U1"),
        (by_hand(labels=np.eye(4)), r"must have the shape \(4,\), got \(4, 4\)"),
        (by_hand(labels=[[0], [1, 1], [1], [0]]), r"must have the shape \(4,\), got \(\)"),
        (by_hand(labels=np.zeros(4, int)), "no row with the label y, which cannot be learned"),
        (by_hand("multilabel", labels=np.array([0, 1, 1, 0])), r"the shape \(4, 2\), got \(4,\)"),
        (by_hand("multilabel", labels=np.full((4, 2), 0.5)), "must be 0 or 1, got 0.5"),
        (by_hand("multilabel", labels=np.full((4, 2), np.nan)), "must be 0 or 1, got nan"),
        (dataclasses.replace(by_hand(), kind="regression"), "kind must be one of binary, "),
        (dataclasses.replace(by_hand(), label_names=("x",)), "cannot have the label names"),
        (dataclasses.replace(by_hand(), label_names=("x", "x")), "cannot have the label names"),
        ("a task", "expected a Task, got str"),
    ],
)
def test_a_faulty_task_is_refused_before_training(task, words, monkeypatch):
    """What is wrong with a task made by hand is said before any checkpoint is looked for."""
    from helpers import training
    from helpers.recipes import MINILM

    def refuse(*_):
        raise AssertionError("the work has begun")

    monkeypatch.setattr(training, "_train", refuse)
    with pytest.raises(ValueError, match=words):
        check_task(task)
    with pytest.raises(ValueError, match=words):
        training.fine_tune(task, MINILM, cache=False)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, bool, list])
def test_labels_of_like_types_are_taken(dtype):
    """Other whole-number types and lists become what `Part` describes; rows stay."""
    kinds = {"binary": np.int64, "multilabel": np.float32}
    for kind, wanted in kinds.items():
        plain = by_hand(kind).train.labels
        task = by_hand(kind, labels=plain.tolist() if dtype is list else plain.astype(dtype))
        found = check_task(task)
        assert found.train.labels.dtype == wanted and found.train.texts == task.train.texts
        np.testing.assert_array_equal(found.train.labels, plain)


def test_a_sound_task_stays_as_it_is():
    """The packaged tasks pass with equal labels."""
    for view in ("urgent", "intent", "topics"):
        task = corpus_task(view)
        np.testing.assert_array_equal(check_task(task).train.labels, task.train.labels)


# Any table at all


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(width=16),
    st.text(max_size=3),
    st.sampled_from(["yes", "no", "Yes ", "0", "1", b"a", ("a",), pd.NA, pd.NaT, np.int8(1)]),
    st.lists(st.integers(0, 1), max_size=2),
)
split_names = st.sampled_from(["train", "Train", "dev", "valid", "test", "holdout", None, 0])


@settings(deadline=None, max_examples=300)
@given(st.data(), st.integers(0, 12), st.booleans())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_odd_tables_are_read_whole_or_refused(data, n, given_split):
    """Whatever the cells, a task holds every row once, or a ValueError says one sentence."""
    columns = {
        "text": data.draw(st.lists(st.one_of(st.text(max_size=3), odd), min_size=n, max_size=n)),
        "label": data.draw(
            st.lists(st.one_of(st.sampled_from(["no", "yes"]), odd), min_size=n, max_size=n)
        ),
        "part": data.draw(st.lists(split_names, min_size=n, max_size=n)),
    }
    rows = pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in columns.items()})
    options = {"split": "part"} if given_split else {}
    makers = (
        lambda: table_task(rows, name="mine", **options),
        lambda: label_table_task(rows, name="mine", labels=["label"], **options),
    )
    for make in makers:
        try:
            task = make()
        except ValueError as error:
            assert len(str(error)) > 20 and "\n" not in str(error)
        else:
            parts = [getattr(task, s) for s in SPLITS]
            assert sum(map(len, parts)) == n
            texts = sorted(text for part in parts for text in part.texts)
            assert texts == sorted(map(str, columns["text"]))


def labelled(labels):
    """Make rows with texts that are all different, one for each label."""
    return [{"text": f"text {i}", "label": one} for i, one in enumerate(labels)]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (labelled([1, "1", 1.0, True, "yes", 0] * 10), "one thing.*'1', 'True', 'yes'; write them"),
        (labelled([1, 0, None, float("nan"), ""] * 10), "30 rows without a label, first in row 2"),
        (labelled(["a"] * 30), r"two different labels or more, got \('a',\)"),
        (labelled([f"id{i}" for i in range(50)]), "50 different values in 50 rows: is it an id"),
        (labelled([i // 2 for i in range(4100)]), "2050 different values.*At most 2000 labels"),
        (labelled([0.5, 1.5] * 10), "a name or a whole number, got 0.5"),
        (labelled([["a"], ["b", "c"]] * 10), "one label a text is expected"),
        ([{"text": i, "label": i % 2} for i in range(30)], "text holds numbers alone, as '0'"),
        ([{"text": f"{i},5", "label": i % 2} for i in range(30)], "numbers alone, as '0,5'"),
        ([{"text": "\u200b", "label": 1}, *labelled([0, 1] * 10)], "1 empty texts, first in row 0"),
    ],
)
def test_columns_that_cannot_be_meant_are_refused(rows, words):
    """Labels of mixed spelling, missing, single or too many, and texts that are none."""
    with pytest.raises(ValueError, match=words):
        table_task(rows, name="mine")


@pytest.mark.parametrize(
    ("only", "words"),
    [
        ("test", "the train part has no row with the label c, which cannot be learned"),
        ("train", None),
    ],
)
def test_a_class_in_one_part_only_is_said(only, words):
    """A class without training rows cannot be; one without others is a warning for each part."""
    rows = [
        {**row, "part": ("train", "dev", "test")[i % 3]}
        for i, row in enumerate(labelled("ab" * 30))
    ]
    rows += [{"text": f"more {i}", "label": "c", "part": only} for i in range(3)]
    if words:
        with pytest.raises(ValueError, match=words):
            table_task(rows, name="mine", split="part")
        return
    with pytest.warns(UserWarning, match="part has no row with the label c") as told:
        assert table_task(rows, name="mine", split="part").label_names == ("a", "b", "c")
    assert len(told) == 2


def test_one_label_in_all_its_spellings_is_one():
    """The numbers 1 and 1.0 and the text "1" are one label; so are True and "True"."""
    assert table_task(labelled([1, "1", 1.0, 0] * 10), name="mine").label_names == ("0", "1")
    assert table_task(labelled([True, "True", False] * 10), name="mine").label_names[1] == "True"
