"""Old import names: what moved to a module of its own is still found where it was."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

PLACES = {
    "helpers.data": ("helpers.hub", "helpers.messages", "helpers.splits"),
    "helpers.deployment": ("helpers.scoring", "helpers.tables"),
    "helpers.evaluation": ("helpers.intervals", "helpers.reports"),
    "helpers.training": ("helpers.prediction", "helpers.losses"),
}


def forward(module: str) -> Callable[[str], Any]:
    """Give a module's ``__getattr__``: it looks a public name up where it lives now.

    Parameters
    ----------
    module : str
        Name of the module that had it.

    Returns
    -------
    callable
        Takes a name; raises AttributeError where it is in none of the places.

    Examples
    --------
    >>> forward("helpers.data")("stratified_split").__module__
    'helpers.splits'
    """

    def find(name: str) -> Any:
        if not name.startswith("_"):
            for place in map(import_module, PLACES[module]):
                if hasattr(place, name):
                    return getattr(place, name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return find
