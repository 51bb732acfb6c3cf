"""Each trap of a lesson is a mutant: put in place of ours, the lesson's own check must fail."""

from pathlib import Path

import jupytext
import pytest

from tools import gallery

SOURCES = sorted((Path(__file__).parent.parent / "notebooks" / "source").glob("*.py"))
IMPORTS = """
import numpy as np
import transformers
from helpers.decisions import BinaryThreshold, Costs, RejectOption
from helpers.deployment import load, save
from helpers.evaluation import risk_coverage
from helpers.probabilities import confidence, fit_temperature, sigmoid
from helpers.recipes import MINILM
from helpers.prediction import load_tokenizer, resolve_checkpoint
COST_FALSE_ALARM, COST_MISS = 1.0, 20.0
"""


def tagged_cells(source):
    """Give the code of each tagged cell of a lesson."""
    cells = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells
    return {tag: c.source for c in cells for tag in c.metadata.get("tags", [])}


TRAPS = [
    pytest.param(*text.split("# the check\n"), id=f"{source.stem[:2]}-{tag.removeprefix('trap-')}")
    for source in SOURCES
    for tag, text in tagged_cells(source).items()
    if tag.startswith("trap-")
]


def run(trap, check, place, mutant):
    """Run a trap cell and its check in a folder, with ours or with the mutant in its place."""
    namespace = {"place": place}
    exec(IMPORTS + trap, namespace)
    if mutant:
        wrong = {
            n.removeprefix("wrong_"): f for n, f in namespace.items() if n.startswith("wrong_")
        }
        assert wrong, "a trap cell defines wrong_NAME and right_NAME"
        for name, function in wrong.items():
            assert f"right_{name}" in namespace
            namespace[f"right_{name}"] = function
    exec(check, namespace)


@pytest.mark.parametrize(("trap", "check"), TRAPS)
def test_check_passes_for_ours(trap, check, tmp_path):
    """The check of a trap passes for the right function."""
    run(trap, check, tmp_path, mutant=False)


@pytest.mark.parametrize(("trap", "check"), TRAPS)
def test_check_fails_for_the_mutant(trap, check, tmp_path):
    """The check of a trap fails when the source's error is put in place of ours."""
    with pytest.raises(AssertionError):
        run(trap, check, tmp_path, mutant=True)


def test_the_gallery_shows_every_trap():
    """Ten errors of the forum thread, ten of the two notebooks; each trap here is shown, once."""
    forum, _, notebooks, _ = gallery.TRAPS.values()
    assert len(forum) == len(notebooks) == 10
    shown = [trap.name for traps in gallery.TRAPS.values() for trap in traps]
    tested = {param.id.split("-", 1)[1] for param in TRAPS}
    assert sorted(shown) == sorted(tested) and set(gallery.trap_cells()) == tested


def test_the_gallery_is_whole():
    """Each trap has its wrong way, its right way, its check, and a section that there is."""
    page = gallery.gallery()
    n = sum(len(traps) for traps in gallery.TRAPS.values())
    assert page.count("<section") == page.count("Explained in <a href=") == n >= 29
    for source in gallery.trap_cells().values():
        wrong, right, check = gallery.split(source)
        assert "wrong_" in wrong and "right_" in right and "assert" in check


def test_lesson_01_holds_the_errors_of_its_source():
    """Lesson 01 shows four errors of the forum thread, each with its check."""
    cells = tagged_cells(next(s for s in SOURCES if s.stem.startswith("01")))
    for name in ("winner", "regression", "ratio", "twice"):
        assert "# the check\n" in cells[f"trap-{name}"]


def test_lesson_03_holds_the_errors_of_its_sources():
    """Lesson 03 shows five errors of the two notebooks, each with its check."""
    cells = tagged_cells(next(source for source in SOURCES if source.stem.startswith("03")))
    for name in ("softmax", "float", "characters", "exact", "auroc"):
        assert "# the check\n" in cells[f"trap-{name}"]


def test_lesson_02_holds_the_errors_of_its_source():
    """Lesson 02 shows four errors made on the way to "Other", and the scan that breaks promises."""
    cells = tagged_cells(next(s for s in SOURCES if s.stem.startswith("02")))
    for name in ("overflow", "sigmoid", "labels", "scale", "scan"):
        assert "# the check\n" in cells[f"trap-{name}"]


def test_lesson_04_holds_the_errors_of_its_source():
    """Lesson 04 shows how a plain pipeline loses the rule, breaks streams, and scales wrongly."""
    (source,) = (s for s in SOURCES if s.name.startswith("04_"))
    cells = tagged_cells(source)
    for name in ("plain", "call", "rate"):
        assert "# the check\n" in cells[f"trap-{name}"]
