"""What single values, options and names can be: each function returns them, or says what came.

`arrays` does the same for logits and labels; all rules and measures take their input through both.
"""

from __future__ import annotations

import numbers
import reprlib
from collections.abc import Iterable, KeysView, Mapping, Set
from typing import Any

import numpy as np


def shown(value: object) -> str:
    """Write a value as one short line, for a message.

    Examples
    --------
    >>> shown([[1, 2], [3, 4]]), shown(range(1000)), shown("a" * 100)
    ('[[1, 2], [3, 4]]', 'range(0, 1000)', "'aaaaaaaaaaaa...aaaaaaaaaaaaa'")
    """
    plain = isinstance(value, str | list | tuple | dict | set | frozenset)
    try:
        line = " ".join((reprlib.repr if plain else repr)(value).split())
    except Exception:  # whatever the value is: its name must do
        return type(value).__name__
    return line if len(line) <= 80 else f"{line[:60]}... ({type(value).__name__})"


# Single values


def is_real(value: object) -> bool:
    """Tell whether a value is one finite real number; True and False are not.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Examples
    --------
    >>> is_real(np.float32(0.5)), is_real(float("nan")), is_real(True), is_real("1")
    (True, False, False, False)
    """
    if isinstance(value, bool | np.bool_ | np.timedelta64) or not isinstance(value, numbers.Real):
        return False
    try:
        return bool(np.isfinite(float(value)))
    except OverflowError:
        return False


def check_temperature(value: float) -> float:
    """Return a temperature as a float, or say that it must be above 0.

    Examples
    --------
    >>> check_temperature(2)
    2.0
    """
    if not is_real(value) or float(value) <= 0:
        raise ValueError(f"temperature must be a finite number above 0, got {shown(value)}")
    return float(value)


def check_open_unit(name: str, value: float) -> float:
    """Return a number strictly between 0 and 1 as a float, or refuse it.

    Examples
    --------
    >>> check_open_unit("confidence_level", 0.95)
    0.95
    """
    if not is_real(value) or not 0 < float(value) < 1:
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {shown(value)}")
    return float(value)


def check_floor(name: str, value: float) -> float:
    """Return a number in (0, 1] as a float, or refuse it.

    Examples
    --------
    >>> check_floor("min_recall", 1)
    1.0
    """
    if not is_real(value) or not 0 < float(value) <= 1:
        raise ValueError(f"{name} must lie in (0, 1], got {shown(value)}")
    return float(value)


def check_share(name: str, value: Any) -> float:
    """Return a number in [0, 1] as a float, or say what it must be.

    Examples
    --------
    >>> check_share("max_review", 0)
    0.0
    """
    if not is_real(value) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name} must be a share in [0, 1], got {shown(value)}")
    return float(value)


def check_count(name: str, value: int, *, least: int, most: int = 10**9) -> int:
    """Return a whole number as an int, or say what it must be.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : int
        Of Python or of numpy; True and False are none.
    least, most : int
        The smallest and the largest that make sense.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is no whole number, or out of bounds.

    Examples
    --------
    >>> check_count("n_bins", np.int64(15), least=1)
    15
    """
    if isinstance(value, bool | np.timedelta64) or not isinstance(value, numbers.Integral):
        raise ValueError(f"{name} must be a whole number, got {shown(value)}")
    if not least <= value <= most:
        bound = f"at least {least}" if value < least else f"at most {most:,}"
        raise ValueError(f"{name} must be a whole number of {bound}, got {shown(int(value))}")
    return int(value)


def check_flag(name: str, value: bool) -> bool:
    """Return True or False, or say that it must be one of the two.

    Examples
    --------
    >>> check_flag("shared", np.True_)
    True
    """
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def check_choice(name: str, value: str, options: Iterable[str]) -> str:
    """Return one of the words that an option knows, or name them all.

    Examples
    --------
    >>> check_choice("empty", "top1", ("allow", "top1"))
    'top1'
    """
    options = tuple(options)
    if not isinstance(value, str) or value not in options:
        words = " or ".join(f'"{word}"' for word in options)
        raise ValueError(f"{name} must be {words}, got {shown(value)}")
    return value


def exactly_one(**ways: Any) -> tuple[str, Any]:
    """Return the name and the value of the one option that is not None, or refuse.

    Examples
    --------
    >>> exactly_one(costs=None, f_beta=2)
    ('f_beta', 2)
    """
    given = {name: value for name, value in ways.items() if value is not None}
    if len(given) != 1:
        raise ValueError(f"give exactly one of {', '.join(ways)}; got {', '.join(given) or 'none'}")
    return next(iter(given.items()))


# Sequences


def check_sequence(name: str, values: Iterable[Any]) -> tuple[Any, ...]:
    """Return values that come in an order as a tuple, or say why they do not.

    Parameters
    ----------
    name : str
        What the message calls them.
    values : iterable
        A list, tuple, array, index or series, or the ``values()`` of a dict. A set has no order,
        and a string or a dict is hardly meant.

    Returns
    -------
    tuple

    Raises
    ------
    ValueError
        If they come in no order, or are no iterable.

    Examples
    --------
    >>> check_sequence("label_names", {0: "wait", 1: "urgent"}.values())
    ('wait', 'urgent')
    """
    if isinstance(values, Set) and not isinstance(values, KeysView):
        raise ValueError(
            f"{name} must be in an order, as in a list: a set has none, got {shown(values)}"
        )
    if not isinstance(values, str | bytes | Mapping) and isinstance(values, Iterable):
        try:
            return tuple(values)
        except TypeError:  # an array without an axis
            pass
    raise ValueError(f"{name} must be a sequence, as a list is, got {shown(values)}")


def check_names(
    name: str, values: Iterable[str], *, least: int = 1, most: float = np.inf
) -> tuple[str, ...]:
    """Return names as a tuple of different strings, or say what is wrong with them.

    Parameters
    ----------
    name : str
        What the message calls them.
    values : iterable of str
        In an order: see `check_sequence`.
    least, most : int
        How many there may be.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If they come in no order, are no strings or not different, too few or too many.

    Examples
    --------
    >>> check_names("label_names", np.array(["wait", "urgent"]))
    ('wait', 'urgent')
    """
    names = check_sequence(name, values)
    if not least <= len(names) <= most or not all(isinstance(one, str) for one in names):
        wanted = "two names" if least == 2 else "one name"
        more = "" if least == most else " or more"
        raise ValueError(f"{name} must be {wanted}{more}, strings all, got {shown(names)}")
    if len(set(names)) < len(names):
        raise ValueError(f"{name} must differ, got {shown(names)}")
    return tuple(map(str, names))
