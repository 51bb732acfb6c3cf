"""The packaged messages: texts to a city's service desk, each with three label views.

Lesson 01 uses the view ``urgent``, lesson 02 ``intent``, lesson 03 ``topics``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from helpers.columns import SPLITS, some_of
from helpers.data import Kind, Part, Task

if TYPE_CHECKING:
    import datasets

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
SCHOOL_OFFICE = CORPUS / "samples" / "school_office.csv"  # the table of lesson 05, faults included


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
        fault(f"{column} outside its list ({some_of(rows.loc[wrong, column])})", wrong)
    named = rows["topics"].map(_topic_list)
    unknown = named.map(lambda topics: [t for t in topics if t not in TOPICS])
    fault(
        f"topics outside their list ({some_of(unknown.explode().dropna())})", unknown.str.len() > 0
    )
    fault("a topic named twice", named.map(lambda topics: len(set(topics)) < len(topics)))
    if faults:
        raise ValueError("these messages are not in the corpus format:\n" + "\n".join(faults))


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

    Examples
    --------
    >>> load_corpus()["test"].features["urgent"].names
    ['no', 'yes']
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
