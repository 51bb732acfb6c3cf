"""Texts with labels: the packaged corpus, a Hub data set, or a table of your own, as one `Task`.

Lesson 01 uses the view ``urgent`` of the corpus, lesson 02 ``intent``, lesson 03 ``topics``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
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

        Examples
        --------
        >>> len(corpus_task("urgent").with_fewer(100).train)
        100
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

    Examples
    --------
    >>> read_messages().columns.tolist()
    ['id', 'text', 'urgent', 'intent', 'topics', 'tone', 'split']
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

    Examples
    --------
    >>> task = corpus_task("topics")
    >>> task.kind, len(task.label_names), task.train.labels.dtype
    ('multilabel', 12, dtype('float32'))
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
        random, each label in like shares; copies of a text (letter case and spaces aside) share a
        part.
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

    Examples
    --------
    >>> rows = pd.DataFrame({"text": [f"text {i}" for i in range(10)], "label": ["no", "yes"] * 5})
    >>> task = table_task(rows, name="mine")
    >>> task.kind, task.label_names, len(task.train)
    ('binary', ('no', 'yes'), 6)
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
        # the same text twice: all copies go where the first one went, or the test would be known
        folded = rows[text].astype(str).str.casefold().str.split().str.join(" ")
        copies = pd.factorize(folded)[0]
        first = np.unique(copies, return_index=True)[1]
        where = where[first[copies]]
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


def label_table_task(
    rows: pd.DataFrame,
    *,
    name: str,
    labels: Sequence[str],
    text: str = "text",
    label_names: Sequence[str] | None = None,
    split: str | None = None,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
) -> Task:
    """Make a multilabel task of a table of your own: a text and a 0/1 column for each label.

    Parameters
    ----------
    rows : DataFrame
    name : str
        For messages and saved rules.
    labels : sequence of str
        Names of the columns with 0 and 1 (or False and True). Rows without any label belong in the
        table: they teach the network what "none" looks like.
    text : str
        Name of the column with the texts.
    label_names : sequence of str, optional
        Names to show, by default those of the columns.
    split : str, optional
        Name of a column with ``train``, ``validation``, ``test``. Without it the rows are split by
        `stratified_split`.
    validation, test : float in (0, 1)
        Shares for that split.
    seed : int

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If a column is missing, a text is empty, a label is neither 0 nor 1, a part is empty, or
        names are missing or doubled.
    """
    wanted = [text, *labels] + ([split] if split else [])
    missing = [c for c in wanted if c not in rows.columns]
    if missing:
        found = ", ".join(map(str, rows.columns))
        raise ValueError(f"columns missing: {', '.join(missing)}; found {found}")
    names = tuple(map(str, labels if label_names is None else label_names))
    if not names or len(names) != len(labels) or len(set(names)) < len(names):
        raise ValueError(f"expected one different name for each of {len(labels)} labels: {names}")
    empty = rows[text].isna() | (rows[text].astype(str).str.strip() == "")
    if empty.any():
        raise ValueError(f"{int(empty.sum())} empty texts, first in row {np.argmax(empty)}")
    for column in labels:
        wrong = ~rows[column].isin([0, 1])
        if wrong.any():
            raise ValueError(f"{column} must be 0 or 1, got {_some(rows.loc[wrong, column])}")
    table = rows[list(labels)].to_numpy(np.float32)
    if split:
        wrong = ~rows[split].isin(SPLITS)
        if wrong.any():
            raise ValueError(
                f"{split} must be one of {SPLITS}, got {_some(rows.loc[wrong, split])}"
            )
        where = rows[split].to_numpy()
    else:
        shares = (1 - validation - test, validation, test)
        which = stratified_split(table, shares, seed=seed, label_names=names)
        where = np.array(SPLITS)[which]
    parts = {}
    for s in SPLITS:
        chosen = np.flatnonzero(where == s)
        if len(chosen) == 0:
            raise ValueError(f"the part {s} is empty: a task needs rows in each of {SPLITS}")
        parts[s] = Part(
            texts=tuple(rows[text].astype(str).iloc[chosen]),
            labels=table[chosen],
            rows=rows.iloc[chosen].reset_index(drop=True),
        )
    return Task(name=name, kind="multilabel", label_names=names, **parts)


def stratified_split(
    labels: NDArray,
    shares: Sequence[float] = (0.6, 0.2, 0.2),
    *,
    seed: int = 0,
    label_names: Sequence[str] | None = None,
) -> NDArray[np.int64]:
    """Deal rows with many labels to parts, so that each label is spread in like shares.

    Parameters
    ----------
    labels : ndarray of int, float or bool, shape (n, n_labels)
        0 or 1. Rows without a label are dealt too.
    shares : sequence of float above 0, length n_parts
        Summing to 1.
    seed : int
    label_names : sequence of str, optional
        For the warning.

    Returns
    -------
    ndarray of int64, shape (n,)
        The part of each row. The size of each part is its share of n, to within 1.

    Raises
    ------
    ValueError
        If the labels are no 0/1 table, the shares make no sense, or there are fewer rows than
        parts.

    Warns
    -----
    UserWarning
        With the labels that are missing from a part: those with fewer rows than parts, and those
        for which there is no such split.

    Notes
    -----
    The rarest label is dealt first, each row to the part that lacks most of it (Sechidis and
    others, 2011). That can still leave a part without a label. Then an integer program looks for a
    split with no such gap, or as few as can be, that moves as few rows as possible.

    References
    ----------
    Sechidis, Tsoumakas, Vlahavas (2011), On the stratification of multi-label data, ECML PKDD.

    Examples
    --------
    >>> labels = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    >>> part = stratified_split(labels, (1 / 3, 1 / 3, 1 / 3))
    >>> [labels[part == p].sum(axis=0).tolist() for p in range(3)]
    [[1, 1], [1, 1], [1, 1]]
    """
    table = np.asarray(labels)
    if table.ndim != 2 or not np.isin(table, (0, 1)).all():
        raise ValueError(f"labels must be 0 or 1, of shape (n, n_labels), got {table.shape}")
    table = table.astype(bool)
    n, n_labels = table.shape
    part_shares = np.asarray(shares, dtype=np.float64)
    n_parts = len(part_shares)
    if n_parts < 2 or not np.all(part_shares > 0) or abs(part_shares.sum() - 1) > 1e-9:
        raise ValueError(f"shares must be two or more numbers above 0 that sum to 1, got {shares}")
    if n < n_parts:
        raise ValueError(f"{n_parts} parts need at least as many rows, got {n}")
    names = tuple(map(str, range(n_labels))) if label_names is None else tuple(label_names)
    sizes = np.diff(np.round(np.cumsum(np.append(0, part_shares)) * n)).astype(int)
    while sizes.min() == 0:  # a share of less than half a row
        sizes[sizes.argmax()] -= 1
        sizes[sizes.argmin()] += 1
    part = _deal(table, part_shares, sizes, np.random.default_rng(seed))

    def gaps(part: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = np.array([table[part == p].any(axis=0) for p in range(n_parts)])
        return ~found.all(axis=0) & table.any(axis=0)

    placeable = table.sum(axis=0) >= n_parts
    if (gaps(part) & placeable).any():
        part = _close_gaps(table[:, placeable], part, part_shares)
    missing = np.flatnonzero(gaps(part))
    if len(missing):
        warnings.warn(
            f"these labels are missing from a part: {', '.join(names[k] for k in missing)}",
            stacklevel=2,
        )
    return part


def _deal(
    table: NDArray[np.bool_], shares: NDArray, sizes: NDArray, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Deal the rows of the rarest label first, each to the part that lacks most of it."""
    part = np.full(len(table), -1)
    room = sizes.astype(float)
    wanted = shares[:, None] * table.sum(axis=0)
    left = table.sum(axis=0)
    while left.any():
        rarest = int(np.argmin(np.where(left > 0, left, len(table) + 1)))
        for row in rng.permutation(np.flatnonzero(table[:, rarest] & (part < 0))):
            open_parts = np.flatnonzero(room > 0)
            lack = np.stack([wanted[open_parts, rarest], room[open_parts] / sizes[open_parts]])
            best = open_parts[np.lexsort((rng.random(len(open_parts)), lack[1], lack[0]))[-1]]
            part[row] = best
            room[best] -= 1
            wanted[best] -= table[row]
            left -= table[row]
    rest = rng.permutation(np.flatnonzero(part < 0))
    part[rest] = np.repeat(np.arange(len(sizes)), room.astype(int))
    return part


def _close_gaps(
    table: NDArray[np.bool_], part: NDArray[np.int64], shares: NDArray
) -> NDArray[np.int64]:
    """Put each label into each part where that can be done, moving as few rows as possible."""
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    (n, n_labels), n_parts = table.shape, len(shares)
    # unknowns: row i in part p (n_parts blocks of n), then a gap for each label and part
    labels = sparse.block_diag([sparse.csr_array(table.T.astype(float))] * n_parts)
    n_gaps = n_labels * n_parts
    each_label = sparse.hstack([labels, sparse.eye_array(n_gaps)])
    each_row = sparse.hstack(
        [sparse.eye_array(n)] * n_parts + [sparse.coo_array((n, n_gaps), dtype=float)]
    )
    each_part = sparse.hstack(
        [
            sparse.kron(sparse.eye_array(n_parts), np.ones((1, n))),
            sparse.coo_array((n_parts, n_gaps), dtype=float),
        ]
    )
    stays = (part == np.arange(n_parts)[:, None]).ravel()
    found = milp(
        np.concatenate([-stays.astype(float), np.full(n_gaps, n + 1.0)]),
        integrality=np.ones(n * n_parts + n_gaps),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(each_label.tocsr(), 1, np.inf),
            LinearConstraint(each_row.tocsr(), 1, 1),
            LinearConstraint(
                each_part.tocsr(),
                np.maximum(np.ceil(shares * n - 1 - 1e-9), 1),
                np.floor(shares * n + 1 + 1e-9),
            ),
        ],
        options={"time_limit": 60},
    )
    if found.x is None:
        return part
    return np.round(found.x[: n * n_parts]).reshape(n_parts, n).argmax(axis=0)


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


def hub_label_task(
    repository: str,
    *,
    revision: str,
    labels: str | Sequence[str],
    configuration: str | None = None,
    text: str = "text",
    names: Mapping[str, str] | None = None,
    validation: float = 0.2,
    seed: int = 0,
) -> Task:
    """Load a data set with many labels a text from the Hugging Face Hub.

    Parameters
    ----------
    repository : str
        As ``owner/name``.
    revision : str
        The commit to load, or a branch.
    labels : str or sequence of str
        A column that lists the labels of a row (a List of ClassLabel), or the names of columns with
        0 and 1 (or False and True).
    configuration : str, optional
    text : str
        Name of the column with the texts.
    names : mapping of str to str, optional
        From the data set's label names to ones to show.
    validation : float in (0, 1)
        Share taken from the training part, label-stratified, where the data set has no validation
        part of its own.
    seed : int
        For that split.

    Returns
    -------
    Task

    Raises
    ------
    ValueError
        If a column is not there or not of that kind, or the data set has no test part.
    """
    import datasets

    loaded = datasets.load_dataset(repository, configuration, revision=revision)
    if not {"train", "test"} <= set(loaded):
        raise ValueError(f"{repository} needs the parts train and test, got {sorted(loaded)}")
    columns = [] if isinstance(labels, str) else list(labels)
    if isinstance(labels, str):
        inner = getattr(loaded["train"].features.get(labels), "feature", None)
        if not isinstance(inner, datasets.ClassLabel):
            raise ValueError(f"{repository} has no column {labels!r} that lists ClassLabels")
        columns = inner.names
    tables = []
    for part in (s for s in SPLITS if s in loaded):
        rows = loaded[part].to_pandas().assign(split=part)
        if isinstance(labels, str):
            listed = np.zeros((len(rows), len(columns)), dtype=np.int64)
            for i, which in enumerate(rows[labels]):
                listed[i, list(which)] = 1
            rows = rows[[text, "split"]].join(pd.DataFrame(listed, columns=columns))
        if part == "train" and "validation" not in loaded:
            table = rows[columns].to_numpy(np.int64)
            which = stratified_split(
                table, (1 - validation, validation), seed=seed, label_names=columns
            )
            rows["split"] = np.array(SPLITS[:2])[which]
        tables.append(rows)
    return label_table_task(
        pd.concat(tables, ignore_index=True),
        name=repository,
        labels=columns,
        label_names=[(names or {}).get(c, c) for c in columns],
        text=text,
        split="split",
    )
