"""How a lesson begins: its recipe, its messages, and whether its measured claims are enforced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from helpers.data import Task
from helpers.prediction import fast_dtype
from helpers.recipes import RECIPES, Recipe

QUICK_TEXTS = 600
SEEDS = range(10)  # the seeds that every claim was measured with


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
        """Say it in one sentence."""
        if self.released:
            return "The released settings: measured claims are enforced."
        if self.quick:
            return f"A quick run on {len(self.task.train)} messages: measured claims are reported."
        return "Other settings than the released ones: measured claims are reported."


def start(
    name: str,
    *,
    profile: str,
    quick: bool | Literal["auto"],
    seed: int,
    dtype: str,
    changed: bool = False,
) -> Start:
    """Take up the settings at the top of a lesson.

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
    changed : bool, default False
        Whether another setting of the lesson differs from its released value.

    Returns
    -------
    Start

    Raises
    ------
    ValueError
        If there is no such recipe or profile.

    Examples
    --------
    >>> begun = start("urgent", profile="offline", quick=True, seed=0, dtype="auto")
    >>> print(begun)
    A quick run on 600 messages: measured claims are reported.
    """
    if (name, profile) not in RECIPES:
        there = ", ".join(where for recipe, where in RECIPES if recipe == name)
        raise ValueError(f"{name} has no profile {profile!r}, only {there or 'none'}")
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
        released=known and not few and not changed,
    )
