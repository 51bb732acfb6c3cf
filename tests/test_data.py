"""Claims about helpers.data, tables and hub: what becomes a task, and what is refused."""

import datasets
import numpy as np
import pandas as pd
import pytest

from helpers.data import SPLITS, label_table_task, table_task
from helpers.hub import hub_label_task, hub_task
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
    for given in (order, np.array(order), pd.Index(order), dict(enumerate(order)).values()):
        task = table_task(table, name="mine", label_names=given)
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
