"""How a lesson begins: its recipe, its messages, and whether its measured claims are enforced."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers.data import Part, Task
from helpers.prediction import pick_device
from helpers.recipes import RECIPES, Recipe

SEEDS = range(10)  # the seeds that every claim was measured with
# the other settings at the top of a lesson, in their order, as every claim was measured with them
CHOSEN: dict[str, tuple[float, ...]] = {
    "urgent": (1.0, 20.0),  # what a false alarm costs, and a miss
    "intent": (0.4, 1.0, 2.0),  # what a rejected message costs, an error, an answer to an unknown
    "topics": (10,),  # positives that a threshold of its own asks for
}


@dataclass(frozen=True, eq=False)
class Start:
    """What a lesson starts from; printed, it says what becomes of the measured claims.

    Attributes
    ----------
    recipe : Recipe
        With the lesson's seed.
    task : Task
    device : str
        Where the network runs, as "cpu" or "cuda".
    released : bool
        Whether these are the settings, and the kind of device, that the claims were measured with.
    """

    recipe: Recipe
    task: Task
    device: str
    released: bool

    def __str__(self) -> str:
        """Say what becomes of the measured claims."""
        if self.released:
            return "The released settings: a claim that fails stops the run."
        what = "Other settings" if self.device == "cpu" else "Measured on processors, run on a GPU"
        return f'{what}: a claim may read "differs here",\nand that is no fault of yours.'

    def shown(self, part: Part, row: int) -> str:
        """Give a text as it may be printed: offensive words have a dot for each character.

        Where the recipe names the column of their places, these characters are masked; where a row
        has a label and names no place, all are.

        Parameters
        ----------
        part : Part
            Of the task.
        row : int

        Returns
        -------
        str
            As long as the text.

        Examples
        --------
        >>> begun = start("topics", "offline", 0, "auto", 10)
        >>> begun.shown(begun.task.train, 0) == begun.task.train.texts[0]
        True
        """
        text = part.texts[row]
        if self.recipe.mask is None:
            return text
        places = part.rows[self.recipe.mask].iloc[row]
        hidden = set(np.ravel(places).tolist()) if np.size(places) else set()
        if not hidden & set(range(len(text))) and part.labels[row].any():
            hidden = set(range(len(text)))
        return "".join(
            "·" if place in hidden and not letter.isspace() else letter
            for place, letter in enumerate(text)
        )


def start(name: str, profile: str, seed: int, dtype: str, *chosen: float) -> Start:
    """Take up the settings at the top of a lesson, in their order.

    Parameters
    ----------
    name : str
        Of the recipe.
    profile : str
        "offline", "hub", or another that the recipe has.
    seed : int
    dtype : "auto", "bf16" or "fp32"
        Claims hold in these; another is left to `fine_tune`.
    *chosen : float
        The lesson's other settings, as many as `CHOSEN` has for this recipe.

    Returns
    -------
    Start

    Raises
    ------
    ValueError
        If there is no such recipe or profile, or another number of settings was chosen.

    Examples
    --------
    >>> begun = start("urgent", "offline", 0, "auto", 1.0, 5.0)
    >>> len(begun.task.train), begun.released
    (2245, False)
    """
    if (name, profile) not in RECIPES:
        there = ", ".join(where for recipe, where in RECIPES if recipe == name)
        raise ValueError(f"{name} has no profile {profile!r}, only {there or 'none'}")
    if len(chosen) != len(CHOSEN[name]):
        raise ValueError(f"{name} has {len(CHOSEN[name])} settings of its own, got {len(chosen)}")
    recipe = RECIPES[name, profile]
    device = pick_device().type
    known = profile == "offline" and seed in SEEDS and dtype in ("auto", "bf16", "fp32")
    return Start(
        recipe=replace(recipe, settings=replace(recipe.settings, seed=seed)),
        task=recipe.load_task(),
        device=device,
        released=known and device == "cpu" and chosen == CHOSEN[name],
    )
