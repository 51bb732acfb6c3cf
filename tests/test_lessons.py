"""Claims about helpers.lessons: a lesson says what kind of run it is; claims bind rightly."""

import re
from pathlib import Path

import pytest

from helpers import lessons
from helpers.lessons import CHOSEN, start

SOURCES = sorted((Path(__file__).parent.parent / "notebooks/source").glob("[0-9][0-9]_*.py"))


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """A processor with 16-bit arithmetic, so that "auto" does not make the run quick."""
    monkeypatch.setattr(lessons, "fast_dtype", lambda: "bf16")


def test_the_released_settings_are_enforced():
    """As a lesson stands, all messages are used and a claim that fails is an error."""
    begun = start("urgent", "offline", "auto", 0, "auto", 1.0, 20.0)
    assert begun.released and not begun.quick and begun.recipe.settings.seed == 0
    assert str(begun) == "The released settings: a claim that fails stops the run."


@pytest.mark.parametrize(
    ("seed", "chosen"), [(0, (1.0, 5.0)), (99, (1.0, 20.0))], ids=["price", "seed"]
)
def test_a_changed_setting_is_not_enforced(seed, chosen):
    """With another price, or a seed that no claim was measured with, claims are only reported."""
    begun = start("urgent", "offline", "auto", seed, "auto", *chosen)
    assert not begun.released and str(begun).startswith("Other settings: a claim may read")


def test_a_slow_processor_makes_the_run_quick(monkeypatch):
    """Without 16-bit arithmetic "auto" takes 600 messages, and says so; `False` takes all."""
    monkeypatch.setattr(lessons, "fast_dtype", lambda: "fp32")
    begun = start("urgent", "offline", "auto", 0, "auto", 1.0, 20.0)
    assert begun.quick and not begun.released and len(begun.task.train) == 600
    assert str(begun).startswith("A quick run on 600 messages: a claim may read")
    assert start("urgent", "offline", False, 0, "auto", 1.0, 20.0).released


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
        start(name, profile, "auto", 0, "auto", *chosen)


WITH_RECIPE = [path for path in SOURCES if "from helpers.lessons import start" in path.read_text()]


def test_all_lessons_but_two_start_from_a_recipe():
    """Lesson 00 is no full run of one, and lesson 05 takes a table in place of a recipe."""
    assert [path.stem[:2] for path in SOURCES if path not in WITH_RECIPE] == ["00", "05"]


@pytest.mark.parametrize("path", WITH_RECIPE, ids=lambda p: p.stem[:2])
def test_every_lesson_stands_at_its_released_settings(path):
    """The settings cell of each lesson, handed to `start`, holds the values in `CHOSEN`."""
    text = path.read_text(encoding="utf-8")
    call = re.search(r"start\(\s*\"(\w+)\", PROFILE, QUICK, SEED, DTYPE, ([\w, ]+)\)", text)
    names = [name.strip() for name in call[2].split(",")]
    settings = dict(re.findall(r"^([A-Z_]+) = ([\d.]+)  # @param", text, flags=re.MULTILINE))
    assert tuple(float(settings[name]) for name in names) == CHOSEN[call[1]]
    assert set(settings) == {*names, "SEED"}
