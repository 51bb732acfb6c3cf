"""Check answers to the exercises, and the claims that the lessons make.

An answer is a function, which is tried on cases of `judges`, or a number worked out from
arrays that the lesson prints. No answer, no harm: the check says so and the notebook goes on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

from helpers.judges import binary, deployment, first, labels, other, own, promises
from helpers.judges.results import hint_for

STRICT_VARIABLE = "EXERCISES_STRICT"
CHECKS = {
    **first.CHECKS,
    **binary.CHECKS,
    **other.CHECKS,
    **labels.CHECKS,
    **deployment.CHECKS,
    **own.CHECKS,
    **promises.CHECKS,
}


@dataclass(frozen=True)
class Checked:
    """What a check or a claim found; shows itself in a notebook.

    Attributes
    ----------
    status : "right", "hint", "not answered", "holds" or "differs here"
    message : str
    """

    status: Literal["right", "hint", "not answered", "holds", "differs here"]
    message: str

    def __repr__(self) -> str:
        return f"{self.status}: {self.message}"


def claim(message: str, holds: bool, *, released: bool) -> Checked:
    """State a measured claim of a lesson, and check it.

    Parameters
    ----------
    message : str
        The claim, in words.
    holds : bool
        Whether the figures bear it out.
    released : bool
        Whether the lesson runs with the settings that it was released with. Only then is a claim
        that does not hold an error; elsewhere the reader is told that it differs.

    Returns
    -------
    Checked

    Raises
    ------
    AssertionError
        If the claim does not hold at the released settings.

    Examples
    --------
    >>> claim("two is less than three", 2 < 3, released=True)
    holds: two is less than three
    >>> claim("the network is perfect", False, released=False)
    differs here: the network is perfect
    """
    if holds:
        return Checked("holds", message)
    if released:
        raise AssertionError(f"does not hold: {message}")
    return Checked("differs here", message)


def check(name: str, answer: Any) -> Checked:
    """Check the answer to an exercise.

    Parameters
    ----------
    name : str
        Lesson and number, as ``"01.1"``.
    answer : function, number or None
        What the exercise asks for; None or ``...`` for no answer yet.

    Returns
    -------
    Checked

    Raises
    ------
    ValueError
        If there is no such exercise.
    AssertionError
        If the answer is not right and the environment variable ``EXERCISES_STRICT`` is set: the
        solution notebooks run so.

    Examples
    --------
    >>> check("01.1", ...)
    not answered: write your answer, then run the cell again
    """
    if name not in CHECKS:
        raise ValueError(f"there is no exercise {name!r}; there are {', '.join(sorted(CHECKS))}")
    if answer is None or answer is ...:
        found = Checked("not answered", "write your answer, then run the cell again")
    else:
        hint = hint_for(CHECKS[name], answer)
        found = Checked("hint", hint) if hint else Checked("right", "well done")
    if os.environ.get(STRICT_VARIABLE) and found.status != "right":
        raise AssertionError(f"exercise {name}: {found}")
    return found
