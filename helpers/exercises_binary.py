"""Checks of the exercises of lesson 01; how to read a result and name a mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.decisions import Costs
from helpers.probabilities import sigmoid


def show(*values: Any) -> tuple[str, ...]:
    """Return values as they are written: an array as its list.

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
    return tuple(repr(one.tolist() if isinstance(one, np.ndarray) else one) for one in values)


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


def _expected_loss_cut(answer: Callable[[float, float], float]) -> str | None:
    return try_cases(
        answer,
        lambda alarm, miss: alarm / (alarm + miss),
        ("false_positive", "false_negative"),
        ((1, 20), (1, 5), (7, 3), (2.5, 2.5)),
        {
            "the two prices have changed places": lambda a, m: m / (a + m),
            "this ratio is a cut on the odds p / (1 - p); on p it is another": lambda a, m: a / m,
            "this is one over the cut's odds": lambda a, m: m / a,
            "this is the cut on the logit scale": lambda a, m: np.log(a / m),
            "this is in percent": lambda a, m: 100 * a / (a + m),
            "this is rounded": lambda a, m: round(a / (a + m), 2),
            "this is rounded to three digits": lambda a, m: round(a / (a + m), 3),
            "this is rounded to four digits": lambda a, m: round(a / (a + m), 4),
            "// rounds down to a whole number": lambda a, m: a // (a + m),
            "0.5 takes no notice of the prices": lambda a, m: 0.5,
        },
        "at the cut both answers cost the same, p * miss = (1 - p) * alarm",
    )


def _one_logit_pipeline(answer: Callable[[Any, float], Any]) -> str | None:
    z = np.array([[2.0], [0.1], [-1.0], [0.0], [0.9], [-3.0]])  # 0.0 is a tie at 0.5
    one = "one decision a row: the one column is logits[:, 0]"
    hint = try_cases(
        answer,
        lambda z, t: (sigmoid(z[:, 0]) >= t).astype(int),
        ("logits", "threshold"),
        ((z, 0.5), (z, 0.7), (z, 0.2), (np.array([[1.5]]), 0.6)),
        {
            "a probability that just reaches the threshold is enough: >=, not >": (
                lambda z, t: sigmoid(z[:, 0]) > t
            ),
            "the threshold is a probability, and these are logits: take their sigmoid": (
                lambda z, t: z[:, 0] >= t
            ),
            "the threshold was not used": lambda z, t: z[:, 0] >= 0,
            "the threshold was not used, and a tie is answered 0": lambda z, t: z[:, 0] > 0,
            "0 and 1 have changed places": lambda z, t: sigmoid(z[:, 0]) < t,
            "0 and 1 have changed places, and a tie is answered 1": (
                lambda z, t: sigmoid(z[:, 0]) <= t
            ),
            "these are the probabilities; compare them with the threshold": (
                lambda z, t: sigmoid(z[:, 0])
            ),
            "every row is 1; the softmax of a single logit is always 1": (
                lambda z, t: np.ones(len(z))
            ),
            "no row is 1, whatever the threshold": lambda z, t: np.zeros(len(z)),
            "0 is asked for, not -1": lambda z, t: np.where(sigmoid(z[:, 0]) >= t, 1, -1),
        },
        "a decision is 1 where the sigmoid of the logit reaches the threshold",
    )
    return f"{hint}; {one}" if hint and "expected the shape" in hint else hint


def _cost_per_message(answer: Callable[[Any, Any, Any], Any]) -> str | None:
    p = np.array([0.02, 0.2, 0.2, 0.6, 0.5, 0.3])  # 0.5 is a tie: 1 is asked for
    alarm = np.array([1.0, 1.0, 5.0, 1.0, 1.0, 4.0])
    miss = np.array([20.0, 3.0, 100.0, 1.0, 1.0, 9.0])
    few = (np.array([0.4, 0.1, 0.6]), np.array([1.0, 9.0, 1.0]), np.array([1.0, 90.0, 2.0]))

    def at(cut: Callable) -> Callable:
        return lambda p, a, m: p >= cut(a, m)

    return try_cases(
        answer,
        lambda p, a, m: (p * m >= (1 - p) * a).astype(int),
        ("probabilities", "false_positive", "false_negative"),
        ((p, alarm, miss), few),
        {
            "where both cost the same, 1 is asked for: >=, not >": (
                lambda p, a, m: p * m > (1 - p) * a
            ),
            "0.5 takes no notice of the prices": at(lambda a, m: 0.5),
            "the two prices have changed places": at(lambda a, m: m / (a + m)),
            "a ratio of prices is a cut on the odds p / (1 - p), not on p": at(lambda a, m: a / m),
            "each message has prices of its own; these are the first one's": (
                at(lambda a, m: a[0] / (a[0] + m[0]))
            ),
            "each message has prices of its own; this is the cut of the mean prices": (
                at(lambda a, m: a.mean() / (a.mean() + m.mean()))
            ),
            "0 and 1 have changed places": lambda p, a, m: p * m < (1 - p) * a,
            "0 and 1 have changed places, and a tie is answered 1": (
                lambda p, a, m: p * m <= (1 - p) * a
            ),
            "these are the cuts; compare each p with its own": lambda p, a, m: a / (a + m),
            "these are costs; 1 where calling out has at most the cost of waiting": (
                lambda p, a, m: np.minimum(p * m, (1 - p) * a)
            ),
        },
        "compare p * false_negative with (1 - p) * false_positive row by row",
    )


def _review_band(answer: Callable[[Any, Costs, float], Any]) -> str | None:
    p = np.array([0.001, 0.03, 0.06, 0.3, 0.6, 0.97])  # no ties at these prices
    few = np.array([0.1, 0.55, 0.9])
    costs, other = (
        Costs(false_positive=4.0, false_negative=20.0),
        Costs(false_positive=3.0, false_negative=7.0),
    )
    words = np.array(["wait", "review", "send"])

    def table(p: np.ndarray, c: Costs, review: float) -> np.ndarray:
        return np.stack([c.false_negative * p, np.full_like(p, review), c.false_positive * (1 - p)])

    def band(p: np.ndarray, c: Costs, review: float) -> np.ndarray:
        first, last = review / c.false_negative, 1 - review / c.false_positive
        return np.where(p < first, "wait", np.where(p > last, "send", "review"))

    def least(p: np.ndarray, c: Costs, review: float) -> np.ndarray:
        return table(p, c, review).argmin(axis=0)

    return try_cases(
        answer,
        lambda *case: words[least(*case)],
        ("probabilities", "costs", "review"),
        (
            (p, costs, 0.5),
            (p, costs, 1.0),
            (p, costs, 50.0),
            (few, other, 1),
        ),
        {
            "the words are in small letters": lambda *case: np.char.upper(words[least(*case)]),
            "nothing is reviewed": lambda p, c, r: words[np.where(p < c.threshold, 0, 2)],
            "0.5 takes no notice of the prices": lambda p, c, r: words[np.where(p < 0.5, 0, 2)],
            "everything is reviewed": lambda p, c, r: np.full(len(p), "review"),
            "where review / miss passes 1 - review / false alarm the band is empty": band,
            "where the band is empty send begins at the cut of 01.1": (
                lambda p, c, r: np.where(p > 1 - r / c.false_positive, "send", band(p, c, r))
            ),
            "the dearest was taken, not the cheapest": (
                lambda *case: words[table(*case).argmax(axis=0)]
            ),
            "wait and send have changed places": lambda *case: words[::-1][least(*case)],
            "the two prices have changed places": (
                lambda p, c, r: words[
                    least(
                        p,
                        Costs(false_positive=c.false_negative, false_negative=c.false_positive),
                        r,
                    )
                ]
            ),
            "the prices themselves are compared; weigh each with the chance of its mistake": (
                lambda p, c, r: words[
                    np.full(len(p), np.argmin([c.false_negative, r, c.false_positive]))
                ]
            ),
            "a colleague who reviews is always right: a review costs its price, no more": (
                lambda p, c, r: words[least(p, c, 2 * r)]
            ),
        },
        "take the least of the three expected costs, row by row",
    )


BINARY_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "01.1": _expected_loss_cut,
    "01.2": _one_logit_pipeline,
    "01.3": _cost_per_message,
    "01.4": _review_band,
}
