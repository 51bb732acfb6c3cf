"""Claims about helpers.lessons: a lesson says what kind of run it is; claims bind rightly."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from helpers import lessons
from helpers.data import Part
from helpers.lessons import CHOSEN, Start, start
from helpers.recipes import RECIPES

SOURCES = sorted((Path(__file__).parent.parent / "notebooks/source").glob("[0-9][0-9]_*.py"))


@pytest.fixture(autouse=True)
def processor(monkeypatch):
    """A machine without a GPU."""
    monkeypatch.setattr(lessons, "pick_device", lambda: torch.device("cpu"))


@pytest.mark.parametrize("dtype", ["auto", "bf16", "fp32"])
def test_the_released_settings_are_enforced(dtype):
    """As a lesson stands, in each number format of processors, a claim that fails is an error."""
    begun = start("urgent", "offline", 0, dtype, 1.0, 20.0)
    assert begun.released and begun.recipe.settings.seed == 0
    assert str(begun) == "The released settings: a claim that fails stops the run."


@pytest.mark.parametrize(
    ("seed", "dtype", "chosen"),
    [(0, "auto", (1.0, 5.0)), (99, "auto", (1.0, 20.0)), (0, "fp16", (1.0, 20.0))],
    ids=["price", "seed", "format"],
)
def test_a_changed_setting_is_not_enforced(seed, dtype, chosen):
    """A price, seed or format that no claim was measured with makes claims mere reports."""
    begun = start("urgent", "offline", seed, dtype, *chosen)
    assert not begun.released and str(begun).startswith("Other settings: a claim may read")


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_gpu_is_not_blamed(device, monkeypatch):
    """Claims were measured on processors; on another device they are reported, and it says why."""
    monkeypatch.setattr(lessons, "pick_device", lambda: torch.device(device))
    begun = start("urgent", "offline", 0, "auto", 1.0, 20.0)
    assert not begun.released
    assert str(begun).startswith("Measured on processors, run on a GPU: a claim may read")


@pytest.mark.parametrize(
    ("name", "profile", "chosen", "words"),
    [
        ("urgent", "cloud", (1.0, 20.0), "urgent has no profile 'cloud', only offline, hub"),
        ("weather", "offline", (), "weather has no profile 'offline', only none"),
        ("urgent", "offline", (1.0,), "urgent has 2 settings of its own, got 1"),
    ],
)
def test_settings_that_are_none(name, profile, chosen, words):
    """An unknown recipe or profile, or a setting too few, is refused in one sentence."""
    with pytest.raises(ValueError, match=words):
        start(name, profile, 0, "auto", *chosen)


@pytest.mark.parametrize(
    ("places", "label", "printed"),
    [
        ([4, 5, 6, 7, 11], 1.0, "seu ···· ma· feito"),
        ([], 1.0, "··· ···· ··· ·····"),  # it is offensive, and nobody has said where
        (None, 1.0, "··· ···· ··· ·····"),
        ([99], 1.0, "··· ···· ··· ·····"),
        ([], 0.0, "seu tolo mal feito"),
    ],
)
@pytest.mark.parametrize("profile", ["hub", "hub-offensive"])
def test_offensive_words_are_not_printed(profile, places, label, printed):
    """Comments with toxicity are printed with dots for the characters that the data set names."""
    rows = pd.DataFrame({"toxic_spans": [None, None if places is None else np.array(places)]})
    part = Part(("bom dia", "seu tolo mal feito"), np.array([[0.0, 0.0], [0.0, label]]), rows)
    begun = Start(RECIPES["topics", profile], None, "cpu", False)
    assert begun.shown(part, 1) == printed and begun.shown(part, 0) == "bom dia"
    plain = Start(RECIPES["topics", "offline"], None, "cpu", False)
    assert plain.shown(part, 1) == part.texts[1]


def test_lesson_03_prints_no_text_unmasked():
    """Each text that lesson 03 prints has gone through `Start.shown`."""
    (path,) = (path for path in SOURCES if path.stem.startswith("03"))
    printed = [line for line in path.read_text(encoding="utf-8").splitlines() if "fill(" in line]
    assert not [line for line in printed if ".texts[" in line]
    assert path.read_text(encoding="utf-8").count("begun.shown(task.") == 3


WITH_RECIPE = [path for path in SOURCES if "from helpers.lessons import start" in path.read_text()]


def test_all_lessons_but_two_start_from_a_recipe():
    """Lesson 05 takes a table in place of a recipe, lesson 06 word counts."""
    assert [path.stem[:2] for path in SOURCES if path not in WITH_RECIPE] == ["05", "06"]


@pytest.mark.parametrize("path", WITH_RECIPE, ids=lambda p: p.stem[:2])
def test_every_lesson_stands_at_its_released_settings(path):
    """The settings cell of each lesson, handed to `start`, holds the values in `CHOSEN`."""
    text = path.read_text(encoding="utf-8")
    call = re.search(
        r"start\(\s*\"(\w+)\", (?:PROFILE|\"offline\"), SEED, DTYPE, ([\w, ]+)\)", text
    )
    names = [name.strip() for name in call[2].split(",")]
    settings = dict(re.findall(r"^([A-Z_]+) = ([\d.]+)  # @param", text, flags=re.MULTILINE))
    assert tuple(float(settings[name]) for name in names) == CHOSEN[call[1]]
    assert set(settings) == {*names, "SEED"} | ({"TEXTS"} if path.stem[:2] == "00" else set())
