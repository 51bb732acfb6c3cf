"""Read what an answer gave, and name what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# takes an answer; gives None if it is right, else a hint
Judge = Callable[[Any], str | None]


def show(*values: Any) -> tuple[str, ...]:
    """Return values as they are written: an array as its list, a number of numpy's as a number.

    Parameters
    ----------
    *values : Any

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> show(np.array([1, 2]), 0.5)
    ('[1, 2]', '0.5')
    """
    return tuple(
        repr(one.tolist() if isinstance(one, np.ndarray | np.generic) else one) for one in values
    )


def hint_for(judge: Callable[[Any], str | None], answer: Any) -> str | None:
    """Judge an answer, and tell an error that it raised from a result that cannot be read.

    Parameters
    ----------
    judge : function
        Takes the answer; gives None if it is right, else a hint.
    answer : Any
        Should be a function.

    Returns
    -------
    str or None

    Examples
    --------
    >>> hint_for(lambda answer: answer(0.0), lambda x: 1 / x)
    'your answer raised ZeroDivisionError: float division by zero (it was given 0.0)'
    """
    if not callable(answer):
        return f"a function is asked for, got {answer!r}: write `def answer(...)`"
    raised: list[tuple[Exception, tuple]] = []

    def called(*arguments: Any) -> Any:
        shown = show(*arguments)
        try:
            return answer(*arguments)
        except Exception as error:  # whatever a learner's function raises becomes a hint
            raised.append((error, shown))
            raise

    try:
        return judge(called)
    except Exception as error:
        if raised and error is raised[-1][0]:
            given = ", ".join(raised[-1][1])
            return f"your answer raised {type(error).__name__}: {error} (it was given {given})"
        return f"the result of your answer cannot be read ({type(error).__name__}: {error})"


def _read(raw: Any, like: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Read a result as an array of such a shape, or say what keeps it from being one."""
    if raw is None:
        return np.empty(0), "is there a `return`?"
    if isinstance(raw, dict) and like.shape == (2,):
        return np.empty(0), "a pair is asked for, not a dict"
    try:
        got = np.asarray(list(raw) if hasattr(raw, "__next__") else raw)
        if like.dtype.kind == "U":
            kind, fit = "words", got.dtype.kind in "UO"
        else:
            kind, fit = "numbers", got.dtype.kind in "biufO"
            got = got.astype(np.float64) if fit else got
    except (TypeError, ValueError):
        return np.empty(0), "this is no array"
    if not fit:
        return got, f"{kind} are asked for"
    if like.ndim == 0 and got.size == 1:
        return got.reshape(()), None
    if got.shape != like.shape:
        return got, f"expected the shape {like.shape}, got {got.shape}"
    return got, None


def try_cases(
    answer: Callable,
    right: Callable,
    names: tuple[str, ...],
    cases: tuple[tuple, ...],
    mistakes: dict[str, Callable],
    otherwise: str,
) -> str | None:
    """Compare an answer with the right one; name the mistake that explains all its results.

    A result may be a list, a Series, whole numbers, truth values or float32.

    Parameters
    ----------
    answer, right : function
        The learner's, and one that is right.
    names : tuple of str
        Names of their arguments.
    cases : tuple of tuples
        Arguments to try; arrays are copied.
    mistakes : dict of str to function
        Words for a mistake, and what a function with this mistake would return.
    otherwise : str
        What to say where no mistake explains the results.

    Returns
    -------
    str or None
        None for a right answer; else a hint with the inputs, what is expected and what came.

    Examples
    --------
    >>> try_cases(lambda x: x, lambda x: 2 * x, ("x",), ((3,),), {}, "double it")
    'for x 3 expected 6, got 3: double it'
    """

    def copies(case: tuple) -> tuple:
        return tuple(one.copy() if isinstance(one, np.ndarray) else one for one in case)

    def same(got: np.ndarray, want: Any) -> bool:
        want = np.asarray(want)
        if got.dtype.kind in "UO" or want.dtype.kind == "U":
            return got.shape == want.shape and bool(np.all(got == want))
        return got.shape == want.shape and np.allclose(got, want, rtol=1e-6, atol=1e-9)

    raws = [answer(*copies(case)) for case in cases]
    wants = [np.asarray(right(*case)) for case in cases]
    read = [_read(raw, want) for raw, want in zip(raws, wants, strict=True)]
    for case, raw, want, (got, why) in zip(cases, raws, wants, read, strict=True):
        if why is None and same(got, want):
            continue
        if why is None:
            why = otherwise
            for words, wrong in mistakes.items():
                if all(same(g, wrong(*one)) for (g, _), one in zip(read, cases, strict=True)):
                    why = words
                    break
        given = ", ".join(f"{n} {v}" for n, v in zip(names, show(*case), strict=True))
        shown = show(raw)[0] if why == "this is no array" else show(np.asarray(raw))[0]
        return f"for {given} expected {want.tolist()}, got {shown}: {why}"
    return None


def many_numbers(got: Any, shape: tuple[int, ...], what: str) -> tuple[np.ndarray, str | None]:
    """Read an answer as a table of floats; say in words what keeps it from being one.

    Parameters
    ----------
    got : Any
        The answer.
    shape : tuple of int
    what : str
        What is asked for.

    Returns
    -------
    table : ndarray of float64
    why : str or None
        None if it can be judged.

    Examples
    --------
    >>> many_numbers([1, 2], (2,), "a cut a label")
    (array([1., 2.]), None)
    """
    if got is None:
        return np.empty(0), f"expected {what}, shape {shape}, got None: is there a `return`?"
    try:
        table = np.asarray(got, dtype=np.float64)
    except (TypeError, ValueError):
        return np.empty(
            0
        ), f"expected {what}, shape {shape}, got {got!r}: it is no table of numbers"
    if table.shape != shape:
        return table, f"expected {what}, shape {shape}, got {table.shape}"
    if np.isnan(table).any():
        return table, f"expected {what}, got {table.tolist()}: a NaN is smaller than nothing"
    return table, None
