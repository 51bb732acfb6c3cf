"""The gallery of traps: each with the wrong way, the right way, and the check that catches it."""

from __future__ import annotations

import ast
import html
from dataclasses import dataclass

import jupytext

from tools.build_notebooks import SOURCES, anchor, sections

CHECK = "# the check\n"


@dataclass(frozen=True)
class Trap:
    """A mistake that real code has made.

    Attributes
    ----------
    name : str
        Its cell is tagged ``trap-NAME``.
    title, text : str
        What goes wrong, in a few words and in a sentence or two.
    section : str
        Where it is explained, as ``"01.3"``.
    """

    name: str
    title: str
    text: str
    section: str


# Where each was found; the order is that of the errors in their source.
TRAPS: dict[str, tuple[Trap, ...]] = {
    "A forum question: answer 1 only above 0.7": (
        Trap(
            "winner",
            "The winner's score",
            "The score of the winning label is compared with the threshold, so a sure no becomes a "
            "yes.",
            "01.3",
        ),
        Trap(
            "score",
            "A new label, the old score",
            "The label is changed by the threshold and the winner's score is left beside it: the "
            "two contradict each other.",
            "01.3",
        ),
        Trap(
            "plain",
            "A saved network without its rule",
            "Saving keeps the weights alone. Loaded again, it answers at 0.5, without a word.",
            "04.3",
        ),
        Trap(
            "call",
            "The wrong hook of the pipeline",
            "A new __call__ breaks top_k for lists, and reads a stream to its end. postprocess is "
            "made for it.",
            "04.3",
        ),
        Trap(
            "regression",
            "One logit, and no problem type",
            "A head with one output and no problem_type trains a squared error: a regression.",
            "01.8",
        ),
        Trap(
            "head",
            "A head that was never trained",
            "The checkpoint has no classification head, so a random one is made up, and its "
            "probabilities are noise.",
            "01.2",
        ),
        Trap(
            "ratio",
            "A ratio of prices as a threshold",
            "The ratio of the prices is a cut on the odds. On the probability it is another.",
            "01.6",
        ),
        Trap(
            "twice",
            "Prices paid twice",
            "A weight in the loss and a threshold from the prices: each takes them into account, "
            "and together they do so twice.",
            "01.9",
        ),
        Trap(
            "shapes",
            "A loss of the wrong shape, handed to nobody",
            "Logits of shape (n, 1) against labels of shape (n,) are refused; and the Trainer uses "
            "a loss only as compute_loss_func.",
            "01.9",
        ),
        Trap(
            "squeeze",
            "Right for one text only",
            ".squeeze().item() gives a number for one text, and an error for two.",
            "01.3",
        ),
    ),
    "A question about softmax and Other": (
        Trap(
            "overflow",
            "A softmax that overflows",
            "The exponential of a large logit is infinite; infinity over infinity is no number.",
            "02.1",
        ),
        Trap(
            "sigmoid",
            "A sigmoid where one label is true",
            "Each class gets a probability of its own: several are likely, and they add up to far "
            "more than 1.",
            "02.1",
        ),
        Trap(
            "labels",
            "Labels counted in the data",
            "A class that is missing from the data moves all names behind it. Fix the list once, "
            "and save it.",
            "02.1",
        ),
        Trap(
            "scale",
            "Another network's threshold",
            "Two networks' scores are not on one scale: 0.6 is not 0.6.",
            "02.3",
        ),
        Trap(
            "scan",
            "A promise found by looking around",
            "The threshold that looks good on the data is promised to be good. Of many, one looks "
            "good by luck.",
            "02.5",
        ),
    ),
    "Two notebooks on many labels": (
        Trap(
            "auroc",
            "An area under decisions",
            "The area under the ROC curve is taken of 0 and 1: it then is the mean of recall and "
            "specificity, at one cut.",
            "03.5",
        ),
        Trap(
            "exact",
            "An exact match beside 1/K",
            "The share of exact matches is held against one over the number of labels. A constant "
            "answer usually does better.",
            "03.5",
        ),
        Trap(
            "test",
            "A threshold moved after the test",
            "The part that chose the threshold also reports it: even a coin seems predictable.",
            "01.7",
        ),
        Trap(
            "epochs",
            "All epochs that were planned",
            "Training goes on long after the validation loss has begun to rise: the network gets "
            "too sure.",
            "03.4",
        ),
        Trap(
            "clean",
            "No text without a label",
            "Only texts with a label are kept: the network never sees what most of its traffic is.",
            "03.2",
        ),
        Trap(
            "padding",
            "Padded to the longest of all",
            "Every text is filled up to 300 tokens: nearly all of the work is done on nothing.",
            "03.3",
        ),
        Trap(
            "characters",
            "512 characters for 300 tokens",
            "Texts are cut otherwise at prediction than in training.",
            "03.3",
        ),
        Trap(
            "removed",
            "Names of last year",
            "An argument was renamed since the text was written, and a copy of it no longer runs.",
            "03.4",
        ),
        Trap(
            "typed",
            "A result typed into the text",
            "The text says what one run found. The next run finds something else below it.",
            "03.5",
        ),
        Trap(
            "delete",
            "A helper that tidies up",
            "Reading a file deletes it: the second run has nothing to read.",
            "05.1",
        ),
    ),
    "Found on the way": (
        Trap(
            "softmax",
            "Softmax where several labels may hold",
            "A second true label makes the first less likely.",
            "03.1",
        ),
        Trap(
            "float",
            "Whole numbers as labels",
            "Labels of which several may hold must be floats, in the shape of the logits.",
            "03.1",
        ),
        Trap(
            "rate",
            "Probabilities times a ratio",
            "When a class gets rarer, its odds change by a factor; its probability does not.",
            "04.7",
        ),
        Trap(
            "copies",
            "Copies in both parts",
            "A text that stands twice lands in train and in test: the figures are too good.",
            "05.2",
        ),
        Trap(
            "together",
            "Two promises, each at 95 %",
            "Each may fail in 5 of 100 cases, and in others than the first: both are 90 % sure.",
            "06.4",
        ),
    ),
}


def trap_cells() -> dict[str, str]:
    """Find the cells of all traps, by name."""
    return {
        tag.removeprefix("trap-"): cell.source
        for source in sorted(SOURCES.glob("*.py"))
        for cell in jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells
        for tag in cell.metadata.get("tags", [])
        if tag.startswith("trap-")
    }


def split(source: str) -> tuple[str, str, str]:
    r"""Take a trap's cell apart.

    Parameters
    ----------
    source : str
        Code that defines ``wrong_...`` and ``right_...``, and has a line ``# the check``.

    Returns
    -------
    wrong, right, check : str

    Examples
    --------
    >>> split("def wrong_f(): ...\ndef right_f(): ...\n# the check\nassert right_f() is None")
    ('def wrong_f(): ...', 'def right_f(): ...', 'assert right_f() is None')
    """
    code, check = source.split(CHECK)

    def defined(kind: str) -> str:
        return "\n\n".join(
            ast.get_source_segment(code, node) or ""
            for node in ast.parse(code).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.startswith(kind)
        )

    return defined("wrong_"), defined("right_"), check.strip()


def gallery() -> str:
    """Write all traps as HTML, without the page around them."""
    cells, known = trap_cells(), sections(SOURCES)
    parts, number = [], 0
    for source, traps in TRAPS.items():
        parts.append(f"<h2>{html.escape(source)}</h2>")
        for trap in traps:
            number += 1
            lesson, heading = known[trap.section]
            wrong, right, check = (html.escape(text) for text in split(cells[trap.name]))
            parts.append(
                f'<section id="{trap.name}"><h3>{number} · {html.escape(trap.title)}</h3>\n'
                f"<p>{html.escape(trap.text)}</p>\n"
                f'<div class="pair"><div><h4>Before</h4><pre>{wrong}</pre></div>\n'
                f"<div><h4>After</h4><pre>{right}</pre></div></div>\n"
                f"<h4>The check that catches it</h4><pre>{check}</pre>\n"
                f'<p>Explained in <a href="{lesson}.html#{anchor(heading)}">lesson '
                f"{lesson[:2]}, section {html.escape(heading)}</a>.</p></section>"
            )
    return "\n".join(parts)
