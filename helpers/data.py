"""Texts with labels: the packaged corpus, a Hub data set, or a table of your own, as one `Task`.

Lesson 01 uses the view ``urgent`` of the corpus, lesson 02 ``intent``, lesson 03 ``topics``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    import datasets

Kind = Literal["binary", "multiclass", "multilabel"]
SPLITS = ("train", "validation", "test")
COLUMNS = ("id", "text", "urgent", "intent", "topics", "tone", "split")
TONES = ("plain", "understated", "alarming")
FAMILIES = {
    "waste": (
        "missed_collection",
        "new_bin",
        "waste_sorting",
        "bulky_waste",
        "fly_tipping",
        "recycling_centre",
        "street_cleaning",
    ),
    "water_energy": (
        "water_leak",
        "no_water",
        "water_quality",
        "water_bill",
        "meter_reading",
        "sewer_drain",
        "district_heating",
    ),
    "streets": (
        "road_damage",
        "street_light",
        "traffic_signal",
        "roadworks",
        "winter_service",
        "trees_greenery",
        "graffiti_vandalism",
    ),
    "parking_transport": (
        "parking_fine",
        "parking_permit",
        "illegal_parking",
        "abandoned_vehicle",
        "bus_service",
        "cycling",
        "ev_charging",
    ),
    "housing": (
        "housing_repair",
        "housing_application",
        "rent_account",
        "building_permit",
        "private_landlord",
        "noise_complaint",
        "pest_control",
    ),
    "people": (
        "civil_certificate",
        "address_registration",
        "id_card",
        "wedding_booking",
        "school_place",
        "childcare_place",
        "home_care",
    ),
    "community": (
        "property_tax",
        "financial_support",
        "business_licence",
        "event_permit",
        "library",
        "sports_facilities",
        "online_account",
    ),
}
OTHER = ("other_near", "other_far")
INTENTS = tuple(intent for family in FAMILIES.values() for intent in family)
TOPICS = (
    "home",
    "street",
    "vehicles",
    "waste",
    "water",
    "money",
    "documents",
    "online",
    "children",
    "health",
    "privacy",
    "language",
)
CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a task.

    Attributes
    ----------
    texts : tuple of str, length n
    labels : ndarray
        int64 of shape (n,) for binary and multiclass tasks, float32 of shape (n, n_labels) with 0
        and 1 for multilabel tasks.
    rows : DataFrame, n rows
        The rows as they were read, for looking at.
    """

    texts: tuple[str, ...]
    labels: NDArray
    rows: pd.DataFrame

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, eq=False)
class Task:
    """Texts and labels in three parts, with the names of the labels in a fixed order.

    Attributes
    ----------
    name : str
    kind : "binary", "multiclass" or "multilabel"
    label_names : tuple of str
        For a binary task the names of 0 and 1.
    train, validation, test : Part
        Fit on the first, choose on the second, report on the third.
    """

    name: str
    kind: Kind
    label_names: tuple[str, ...]
    train: Part
    validation: Part
    test: Part

    def with_fewer(self, n: int, *, seed: int = 0) -> Task:
        """Keep a random part of the training texts; validation and test stay as they are.

        Parameters
        ----------
        n : int
            How many to keep.
        seed : int, default 0

        Returns
        -------
        Task

        Raises
        ------
        ValueError
            If `n` is not between 1 and the number of training texts.
        """
        if not isinstance(n, int) or not 1 <= n <= len(self.train):
            raise ValueError(f"n must lie between 1 and {len(self.train)}, got {n}")
        kept = np.sort(np.random.default_rng(seed).permutation(len(self.train))[:n])
        train = Part(
            texts=tuple(self.train.texts[i] for i in kept),
            labels=self.train.labels[kept],
            rows=self.train.rows.iloc[kept].reset_index(drop=True),
        )
        return replace(self, train=train)


def check_messages(rows: pd.DataFrame) -> None:
    """Refuse a table of messages that is not in the corpus format.

    Parameters
    ----------
    rows : DataFrame
        All columns as text, an empty cell as "".

    Raises
    ------
    ValueError
        One line a fault: missing or unknown columns, empty texts, labels outside the lists, ids
        that occur twice or in two splits; each with the ids (or row numbers) it was found at.
    """
    if sorted(map(str, rows.columns)) != sorted(COLUMNS):
        missing = [c for c in COLUMNS if c not in rows.columns]
        unknown = [str(c) for c in rows.columns if c not in COLUMNS]
        unknown += [f"{c} twice" for c in COLUMNS if list(rows.columns).count(c) > 1]
        raise ValueError(
            f"columns missing: {', '.join(missing) or 'none'}; unknown: "
            f"{', '.join(unknown) or 'none'}; expected {', '.join(COLUMNS)}"
        )
    no_text = ~rows.map(lambda cell: isinstance(cell, str))
    if no_text.any(axis=None):
        column = no_text.any().idxmax()
        raise ValueError(
            f'all cells must be text (an empty one is ""): {column} has '
            f"{rows.loc[no_text[column], column].iloc[0]!r} in row {no_text[column].idxmax()}"
        )
    faults = []

    def fault(what: str, where: pd.Series) -> None:
        if where.any():
            ids = [i if i else f"row {n}" for n, i in rows.loc[where, "id"].items()]
            more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
            faults.append(f"{what}: {', '.join(ids[:5])}{more}")

    splits_of_id = rows.groupby("id")["split"].transform("nunique")
    fault("empty id", rows["id"] == "")
    fault("id in two splits", (splits_of_id > 1) & (rows["id"] != ""))
    fault("id twice in a split", rows.duplicated(["id", "split"], keep=False) & (rows["id"] != ""))
    fault("empty text", rows["text"].str.strip() == "")
    for column, allowed in (
        ("urgent", ("0", "1")),
        ("intent", INTENTS + OTHER),
        ("tone", TONES),
        ("split", SPLITS),
    ):
        wrong = ~rows[column].isin(allowed)
        fault(f"{column} outside its list ({_some(rows.loc[wrong, column])})", wrong)
    named = rows["topics"].map(_topic_list)
    unknown = named.map(lambda topics: [t for t in topics if t not in TOPICS])
    fault(f"topics outside their list ({_some(unknown.explode().dropna())})", unknown.str.len() > 0)
    fault("a topic named twice", named.map(lambda topics: len(set(topics)) < len(topics)))
    if faults:
        raise ValueError("these messages are not in the corpus format:\n" + "\n".join(faults))


def _some(values: pd.Series) -> str:
    """Show up to three different values."""
    return ", ".join(repr(v) for v in list(dict.fromkeys(values))[:3])


def _topic_list(cell: str) -> list[str]:
    return cell.split(";") if cell else []


def read_messages(folder: str | Path = CORPUS) -> pd.DataFrame:
    """Read the corpus as it is written: a row a message, all columns as text.

    Parameters
    ----------
    folder : path, default the packaged corpus
        Holds ``*.csv`` in the corpus format.

    Returns
    -------
    DataFrame
        Columns ``id, text, urgent, intent, topics, tone, split``.

    Raises
    ------
    ValueError
        If there is no file, or `check_messages` finds faults.
    """
    files = sorted(Path(folder).glob("*.csv"))
    if not files:
        raise ValueError(f"expected .csv files with messages in {folder}, found none")
    tables = [pd.read_csv(f, dtype=str, keep_default_na=False, encoding="utf-8") for f in files]
    for file, table in zip(files, tables, strict=True):
        if sorted(table.columns) != sorted(COLUMNS):
            raise ValueError(
                f"{file.name} has the columns {', '.join(table.columns)}; "
                f"expected {', '.join(COLUMNS)}"
            )
    rows = pd.concat(tables, ignore_index=True)
    check_messages(rows)
    return rows


def load_corpus(folder: str | Path = CORPUS) -> datasets.DatasetDict:
    """Load the messages with their three label views.

    Parameters
    ----------
    folder : path, default the packaged corpus

    Returns
    -------
    DatasetDict
        ``train``, ``validation``, ``test``, each with ``id``, ``text``, ``urgent`` (ClassLabel),
        ``intent`` (ClassLabel: the 49 intents, then `OTHER`), ``topics`` (List of ClassLabel) and
        ``tone``.

    Raises
    ------
    ValueError
        If the files are not in the corpus format.
    """
    import datasets

    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "text": datasets.Value("string"),
            "urgent": datasets.ClassLabel(names=["no", "yes"]),
            "intent": datasets.ClassLabel(names=list(INTENTS + OTHER)),
            "topics": datasets.List(datasets.ClassLabel(names=list(TOPICS))),
            "tone": datasets.Value("string"),
        }
    )
    rows = read_messages(folder)
    topics = rows["topics"].map(lambda cell: [TOPICS.index(t) for t in _topic_list(cell)])
    intents = rows["intent"].map((INTENTS + OTHER).index)
    rows = rows.assign(urgent=rows["urgent"].astype(int), intent=intents, topics=topics)
    return datasets.DatasetDict(
        {
            split: datasets.Dataset.from_dict(
                rows.loc[rows["split"] == split, list(features)].to_dict("list"), features=features
            )
            for split in SPLITS
        }
    )


def corpus_task(
    view: Literal["urgent", "intent", "topics"], *, folder: str | Path = CORPUS
) -> Task:
    """Take one view of the corpus.

    Messages that no public body handles (``other_far``) are left out of every view, and those for
    other bodies (``other_near``) out of ``intent``; lesson 02 takes them from `load_corpus`.

    Parameters
    ----------
    view : "urgent", "intent" or "topics"
    folder : path, default the packaged corpus

    Returns
    -------
    Task
        Binary, multiclass (49) or multilabel (12).

    Raises
    ------
    ValueError
        If there is no such view, or the files are not in the corpus format.
    """
    kinds: dict[str, tuple[Kind, tuple[str, ...]]] = {
        "urgent": ("binary", ("not urgent", "urgent")),
        "intent": ("multiclass", INTENTS),
        "topics": ("multilabel", TOPICS),
    }
    if view not in kinds:
        raise ValueError(f"view must be one of {', '.join(kinds)}, got {view!r}")
    kind, label_names = kinds[view]
    rows = read_messages(folder)
    rows = rows[~rows["intent"].isin(OTHER if view == "intent" else ("other_far",))]

    def part(split: str) -> Part:
        chosen = rows[rows["split"] == split].reset_index(drop=True)
        if view == "topics":
            labels = np.array(
                [[t in _topic_list(cell) for t in TOPICS] for cell in chosen["topics"]], np.float32
            ).reshape(-1, len(TOPICS))
        elif view == "intent":
            labels = chosen["intent"].map(INTENTS.index).to_numpy(np.int64)
        else:
            labels = chosen["urgent"].astype(np.int64).to_numpy()
        return Part(texts=tuple(chosen["text"]), labels=labels, rows=chosen)

    parts = {split: part(split) for split in SPLITS}
    return Task(name=f"corpus/{view}", kind=kind, label_names=label_names, **parts)


def table_task(
    rows: pd.DataFrame,
    *,
    name: str,
    text: str = "text",
    label: str = "label",
    label_names: Sequence[str] | None = None,
    split: str | None = None,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
) -> Task:
    """Make a task of a table of your own: one text and one label a row.

    Parameters
    ----------
    rows : DataFrame
    name : str
        For messages and saved rules.
    text, label : str
        Names of the columns.
    label_names : sequence of str, optional
        The labels in the order of their indices. By default the labels that occur, sorted. Give
        the list where a label may be missing from the table.
    split : str, optional
        Name of a column with ``train``, ``validation``, ``test``. Without it the rows are split at
        random, each label in like shares.
    validation, test : float in (0, 1)
        Shares for the random split.
    seed : int

    Returns
    -------
    Task
        Binary if there are two labels, otherwise multiclass.

    Raises
    ------
    ValueError
        If a column is missing, a text is empty, a label is not in the list, a part is empty, or
        there are fewer than two labels.
    """
    wanted = [text, label] + ([split] if split else [])
    missing = [c for c in wanted if c not in rows.columns]
    if missing:
        found = ", ".join(map(str, rows.columns))
        raise ValueError(f"columns missing: {', '.join(missing)}; found {found}")
    empty = rows[text].isna() | (rows[text].astype(str).str.strip() == "")
    if empty.any():
        raise ValueError(f"{int(empty.sum())} empty texts, first in row {np.argmax(empty)}")
    if rows[label].isna().any():
        unlabelled = rows[label].isna()
        raise ValueError(
            f"{int(unlabelled.sum())} rows without a label, first in row {np.argmax(unlabelled)}"
        )
    labels = rows[label].astype(str)
    ordered = sorted(rows[label].unique()) if label_names is None else label_names
    names = tuple(map(str, ordered))
    unknown = ~labels.isin(names)
    if unknown.any():
        raise ValueError(f"labels outside the list: {_some(labels[unknown])}; the list is {names}")
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(f"a task needs two different labels or more, got {names}")
    if split:
        wrong = ~rows[split].isin(SPLITS)
        if wrong.any():
            raise ValueError(
                f"{split} must be one of {SPLITS}, got {_some(rows.loc[wrong, split])}"
            )
        where = rows[split].to_numpy()
    else:
        where = _random_split(labels.to_numpy(), validation, test, seed)
    kind: Kind = "binary" if len(names) == 2 else "multiclass"
    index = labels.map(names.index).to_numpy(np.int64)
    parts = {}
    for s in SPLITS:
        chosen = np.flatnonzero(where == s)
        if len(chosen) == 0:
            raise ValueError(f"the part {s} is empty: a task needs rows in each of {SPLITS}")
        parts[s] = Part(
            texts=tuple(rows[text].astype(str).iloc[chosen]),
            labels=index[chosen],
            rows=rows.iloc[chosen].reset_index(drop=True),
        )
    return Task(name=name, kind=kind, label_names=names, **parts)


def _random_split(labels: NDArray, validation: float, test: float, seed: int) -> NDArray:
    """Deal the rows of each label to the three parts in their shares."""
    if not (0 < validation < 1 and 0 < test < 1 and validation + test < 1):
        raise ValueError(
            "validation and test are shares above 0 with a sum below 1, "
            f"got {validation} and {test}"
        )
    rng = np.random.default_rng(seed)
    where = np.full(len(labels), "train", dtype=object)
    for name in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == name))
        n_test, n_validation = round(test * len(rows)), round(validation * len(rows))
        where[rows[:n_test]] = "test"
        where[rows[n_test : n_test + n_validation]] = "validation"
    return where


def hub_task(
    repository: str,
    *,
    revision: str,
    configuration: str | None = None,
    text: str = "text",
    label: str = "label",
    seed: int = 0,
) -> Task:
    """Load a data set with one label a text from the Hugging Face Hub.

    Parameters
    ----------
    repository : str
        As ``owner/name``.
    revision : str
        The commit to load; a full one, so that figures can be repeated, or a branch.
    configuration : str, optional
    text, label : str
        Names of the columns; `label` must be a ClassLabel, or hold the names themselves: then the
        names that occur in any part are taken, sorted.
    seed : int
        For the random split, where the data set lacks one of the three parts.

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If the columns are not there, or `label` is neither a ClassLabel nor text.
    """
    import datasets

    loaded = datasets.load_dataset(repository, configuration, revision=revision)
    features = next(iter(loaded.values())).features
    feature = features.get(label)
    named = feature in (datasets.Value("string"), datasets.Value("large_string"))
    if not named and not isinstance(feature, datasets.ClassLabel):
        raise ValueError(f"{repository} has no ClassLabel column {label!r}, only {list(features)}")
    whole = set(SPLITS) <= set(loaded)
    tables = [
        part.to_pandas().assign(split=s) for s, part in loaded.items() if s in SPLITS or not whole
    ]
    rows = pd.concat(tables, ignore_index=True)
    if named:
        names = sorted(rows[label].dropna().unique())
    else:
        names = feature.names  # -1 and null are "no label"
        rows[label] = [None if pd.isna(i) or i < 0 else names[int(i)] for i in rows[label]]
    return table_task(
        rows,
        name=repository,
        text=text,
        label=label,
        label_names=names,
        split="split" if whole else None,
        seed=seed,
    )
