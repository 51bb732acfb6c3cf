"""How a lesson begins: its recipe, its messages, and whether its measured claims are enforced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from helpers.data import Task
from helpers.prediction import fast_dtype
from helpers.recipes import RECIPES, Recipe

QUICK_TEXTS = 600
SEEDS = range(10)  # the seeds that every claim was measured with
# the other settings at the top of a lesson, in their order, as every claim was measured with them
CHOSEN: dict[str, tuple[float, ...]] = {
    "urgent": (1.0, 20.0),  # what a false alarm costs, and a miss
    "intent": (0.4, 1.0, 2.0),  # what a rejected message costs, an error, an answer to an unknown
    "topics": (10,),  # positives that a threshold of its own asks for
}


@dataclass(frozen=True, eq=False)
class Start:
    """What a lesson starts from; printed, it says what kind of run this is.

    Attributes
    ----------
    recipe : Recipe
        With the lesson's seed.
    task : Task
    quick : bool
        Whether the network is trained on `QUICK_TEXTS` messages only.
    released : bool
        Whether these are the settings that the measured claims were measured with.
    """

    recipe: Recipe
    task: Task
    quick: bool
    released: bool

    def __str__(self) -> str:
        """Say it, and what becomes of the measured claims."""
        if self.released:
            return "The released settings: a claim that fails stops the run."
        what = f"A quick run on {len(self.task.train)} messages" if self.quick else "Other settings"
        return f'{what}: a claim may read "differs here",\nand that is no fault of yours.'


def start(
    name: str,
    profile: str,
    quick: bool | Literal["auto"],
    seed: int,
    dtype: str,
    *chosen: float,
) -> Start:
    """Take up the settings at the top of a lesson, in their order.

    Parameters
    ----------
    name : str
        Of the recipe.
    profile : str
        "offline", "hub", or another that the recipe has.
    quick : bool or "auto"
        Train on few messages; "auto" does so on a CPU without 16-bit arithmetic.
    seed : int
    dtype : "auto", "bf16" or "fp32"
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
    >>> begun = start("urgent", "offline", True, 0, "auto", 1.0, 20.0)
    >>> print(begun)
    A quick run on 600 messages: a claim may read "differs here",
    and that is no fault of yours.
    """
    if (name, profile) not in RECIPES:
        there = ", ".join(where for recipe, where in RECIPES if recipe == name)
        raise ValueError(f"{name} has no profile {profile!r}, only {there or 'none'}")
    if len(chosen) != len(CHOSEN[name]):
        raise ValueError(f"{name} has {len(CHOSEN[name])} settings of its own, got {len(chosen)}")
    recipe = RECIPES[name, profile]
    task = recipe.load_task()
    fast = fast_dtype()
    slow = profile == "offline" and dtype == "auto" and fast == "fp32"
    few = slow if quick == "auto" else bool(quick)
    if few:
        task = task.with_fewer(min(QUICK_TEXTS, len(task.train)))
    known = profile == "offline" and seed in SEEDS and fast in ("bf16", "fp32")
    return Start(
        recipe=replace(recipe, settings=replace(recipe.settings, seed=seed)),
        task=task,
        quick=few,
        released=known and not few and chosen == CHOSEN[name],
    )
