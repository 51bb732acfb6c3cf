"""Judge the exercises of lesson 03."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.judges.results import Judge, many_numbers


def _precision_floor_per_label(answer: Callable[[Any, Any, float], Any]) -> str | None:
    order = np.array([3, 0, 6, 1, 7, 4, 2, 5])
    z = np.array([3, 2.5, 2, 1, 0.5, -0.5, -1, -2])[:, None].repeat(7, axis=1)
    z[1:3, 1] = 2.25  # a tie
    z[1:3, 5:] = 2.25  # a tie, in either order of its labels, that no cut can split
    labels = np.array(
        [
            [1, 1, 0, 1, 1, 0, 0, 0],  # at .75 the best cut lies below one that fails
            [1, 1, 0, 1, 1, 0, 1, 1],  # all may have it at .5, and at .75 exactly
            [0, 0, 0, 0, 0, 0, 1, 1],  # no cut reaches either floor
            [1, 1, 1, 0, 0, 0, 0, 0],  # two cuts find three at .75: either is right
            [0, 0, 1, 1, 1, 1, 0, 0],  # precision rises on the way down
            [1, 1, 0, 0, 0, 0, 0, 0],
            [1, 0, 1, 0, 0, 0, 0, 0],
        ]
    ).T
    z, labels = z[order], labels[order]
    for floor in (0.75, 0.5):
        got, hint = many_numbers(answer(z.copy(), labels.copy(), floor), (7,), "one cut a label")
        if hint:
            return hint
        share = bool(((got > 0) & (got <= 1) | (got == np.inf)).all())  # probabilities, it seems
        for k in range(7):
            if hint := _judge_floor_cut(z[:, k], labels[:, k], floor, float(got[k]), share):
                if (got == got[0]).all() and np.isfinite(got[0]):
                    hint += "; you gave one cut for all, and each label has its own"
                fall = np.argsort(-z[:, k], kind="stable")
                return (
                    f"with a floor of {floor}, label {k} (logits from the top "
                    f"{z[fall, k].tolist()}, labels {labels[fall, k].tolist()}), got the cut "
                    f"{got[k]:g}: {hint}"
                )
    return None


def _row_by_row(z: np.ndarray, true: np.ndarray, floor: float, got: float) -> bool:
    """Tell whether a cut reaches the floor if the best of its ties alone is counted."""
    above, at = z > got, z == got
    best = true[above].sum() + true[at].max(initial=0)
    return bool(best / (above.sum() + 1) >= floor)


def _judge_floor_cut(
    z: np.ndarray, true: np.ndarray, floor: float, got: float, share: bool
) -> str | None:
    """Judge one label's cut by its hits and its precision; any cut that finds the most is right."""
    cuts = np.unique(z)[::-1]
    precision = np.array([true[z >= cut].mean() for cut in cuts])
    hits = np.array([true[z >= cut].sum() for cut in cuts])
    fit = precision >= floor
    if not fit.any():
        return None if got == np.inf else "expected np.inf, for here no cut reaches the floor"
    best = int(np.argmax(np.where(fit, hits, -1)))
    given, most = z >= got, hits[best]
    found = int(true[given].sum())
    want = f"expected {most} of them found, as by the cut {cuts[best]:g}"
    reached = given.any() and true[given].mean() >= floor
    if reached and found == most:
        return None
    tied = np.count_nonzero(z == got) > 1
    if not reached and tied and _row_by_row(z, true, floor, got):
        return (
            f"{want}; messages with the same logit go together, and with all of them {found} of "
            f"{given.sum()} are right"
        )
    above, chance = z > got, 1 / (1 + np.exp(-z))
    if above.any() and true[above].mean() >= floor and true[above].sum() == most:
        return f"{want}; yours would be right if `>` gave the label, but `>=` does"
    if share and true[chance >= got].sum() == most and true[chance >= got].mean() >= floor:
        return f"{want}; yours is a probability, and the cuts are asked for on the logits"
    if not given.any():
        return f"{want}; yours gives the label to nobody"
    if not reached:
        return f"{want}; of {given.sum()} that yours gives it to only {found} are right"
    strict = precision > floor
    if found == (hits[strict].max() if strict.any() else 0):
        return f"{want}; yours finds {found}. A precision equal to the floor reaches it"
    recall = np.array([true[z >= cut].sum() / max(true.sum(), 1) for cut in cuts])
    if got == cuts[int(np.argmax(recall >= floor))] and found < most:
        return f"{want}; yours is a floor of the recall, and one of the precision is asked for"
    if found == hits[: int(np.argmin(fit))].max(initial=0):
        return (
            f"{want}; yours finds {found}. A cut below one that fails may still reach the floor, "
            "and past the floor it is the most found that counts, not the highest precision"
        )
    return f"{want}; yours reaches the floor and finds only {found}"


def _a_rare_label_is_added(answer: Callable[[Any, Any, int], Any]) -> str | None:
    labels = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 0, 0]])
    predicted = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 1], [1, 1, 0]])
    hits, both = (predicted & labels).sum(axis=0), (predicted + labels).sum(axis=0)
    for n_new in (5, 1, 9):
        micro = 2 * hits.sum() / (both.sum() + n_new)
        macro = np.append(2 * hits / both, 0).mean()
        got, hint = many_numbers(
            answer(labels.copy(), predicted.copy(), n_new), (2,), "the pair micro-F1, macro-F1"
        )
        if hint is None and np.allclose(got, [micro, macro], atol=1e-6):
            continue
        if hint:
            return hint
        as_is = 2 * np.append(hits.sum(), hits) / np.append(both.sum(), both)
        if np.allclose(got, [macro, micro]):
            why = "these are the right two, in the other order"
        elif np.allclose(got, [100 * micro, 100 * macro]):
            why = "these are percent"
        elif np.isclose(got[0], as_is[0]):
            why = f"micro-F1 counts all misses, and there are {n_new} more misses now"
        elif np.isclose(got[0], 2 * hits.sum() / (both.sum() + 2 * n_new)):
            why = f"nobody was given the new label: {n_new} misses, and no false ones"
        elif n_new > (n := len(labels)) and np.isclose(got[0], 2 * hits.sum() / (both.sum() + n)):
            why = f"the {n_new} new do not fit into the {n} old rows: count them apart"
        elif not np.isclose(got[0], micro):
            why = "micro-F1 is off: 2 hits / (given + true), each summed over all four labels"
        elif np.isclose(got[1], as_is[1:].mean()):
            why = "the new label's F1 is 0, and macro-F1 is the mean of four"
        else:
            why = "macro-F1 is off: the plain mean of the four labels' F1, the last of them 0"
        return (
            f"for labels {labels.tolist()}, predicted {predicted.tolist()} and {n_new} new: "
            f"expected micro-F1 {micro:.4f} and macro-F1 {macro:.4f}, got {got.tolist()}: {why}"
        )
    return None


def _cost_per_label(answer: Callable[[Any, Any, Any], Any]) -> str | None:
    p = np.array([[0.02, 0.3, 0.92], [0.25, 0.05, 0.5], [0.6, 0.49, 0.95], [0.2, 0.8, 0.09]])
    alarm, miss = np.array([1.0, 1.0, 9.0]), np.array([3.0, 8.0, 1.0])  # p = 0.25 is a tie
    cut = alarm / (alarm + miss)
    want = (p >= cut).astype(int)
    got, hint = many_numbers(
        answer(p.copy(), alarm.copy(), miss.copy()), p.shape, "an answer a message and label"
    )
    if hint or np.array_equal(got, want):
        return hint
    shared = alarm.mean() / (alarm.mean() + miss.mean())
    tried = {
        "where both cost the same, 1 is asked for": p > cut,
        "a cut of 0.5 takes no notice of the prices: each label has its own cut": p >= 0.5,
        "each label has its own cut, and not one from the mean prices": p >= shared,
        "false_positive and false_negative have changed places": p >= miss / (alarm + miss),
        "a ratio of prices is a cut on the odds p / (1 - p), not on p": p >= alarm / miss,
        "1 and 0 have changed places": p < cut,
    }
    why = next((text for text, table in tried.items() if np.array_equal(got, table)), None)
    if why is None and not np.isin(got, [0, 1]).all():
        why = "a table of 0 and 1 is asked for"
    why = why or "each label has its own cut; compare p * miss with (1 - p) * alarm"
    return (
        f"for probabilities {p.tolist()}, false_positive {alarm.tolist()} and false_negative "
        f"{miss.tolist()} expected {want.tolist()}, got {got.tolist()}: {why}"
    )


def _best_expected_f1(answer: Callable[[Any], Any]) -> str | None:
    failed, explains = "", np.array(True)
    for p in (
        np.array([0.1, 0.9, 0.6, 0.05]),
        np.array([0.05, 0.3, 0.02, 0.45, 0.2, 0.1, 0.02, 0.35]),
        np.array([0.01, 0.02]),
        np.array([0.7, 0.9, 0.8]),
    ):
        falling, number = np.sort(p)[::-1], np.arange(1, len(p) + 1)
        f1 = 2 * falling.cumsum() / (number + p.sum())
        want = 1 + int(f1.argmax())
        got, hint = many_numbers(answer(p.copy()), (), "one whole number")
        if hint:
            return hint
        if not failed and got != want:
            failed = (
                f"for the probabilities {p.tolist()} ({p.sum():.2f} expected positives) expected "
                f"{want}, got {got.tolist()}: "
            )
        as_is = 1 + (2 * p.cumsum() / (number + p.sum())).argmax()
        values = [want - 1, (p >= 0.5).sum(), (p >= f1.max()).sum(), as_is, round(p.sum()), len(p)]
        values += [f1.max(), f1.max() / 2, falling[want - 1], 1]
        explains = explains & np.isclose(got, values)
    mistakes = (
        "argmax counts from 0",
        "a cut of 0.5 is too high where the best F1 is below 1",
        "the last one to get it lies above *half* of the best F1",
        "sort first: the likeliest get it",
        "this is the expected number of positives",
        "all of them is too many; the likeliest come first, from the top down",
        "this is the F1, and the number that gets the label is asked for",
        "this is the cut, half of the best F1; the number that gets the label is asked for",
        "this is the last probability that gets it, and their number is asked for",
        "hits / given alone is the precision; the expected positives belong below, too",
    )
    why = [text for text, fits in zip(mistakes, explains, strict=True) if fits]
    why.append("sort, take the likeliest first, and try every number")
    return failed + why[0] if failed else None


def _price(z: np.ndarray, true: np.ndarray, alarm: float, miss: float, cut: float) -> float:
    """Give what a cut costs on these messages."""
    given = z >= cut
    return alarm * (given & (true == 0)).sum() + miss * (~given & (true == 1)).sum()


def _cheapest(z: np.ndarray, true: np.ndarray, alarm: float, miss: float) -> float:
    """Give the cut of least cost on these messages; np.inf gives the label to nobody."""
    return min([*np.unique(z), np.inf], key=lambda cut: _price(z, true, alarm, miss, cut))


def _at(cut: Callable[..., float]) -> Callable[..., bool]:
    """Say whether a cut decides like the one that a mistake makes."""
    return lambda z, y, a, m, got: np.array_equal(z >= got, z >= cut(a, m))


def _least(cost: Callable[..., float], nobody: bool = True) -> Callable[..., bool]:
    """Say whether a cut has the least of another cost."""

    def fits(z: np.ndarray, y: np.ndarray, a: float, m: float, got: float) -> bool:
        tried = [cost(z, y, a, m, cut) for cut in [*z, np.inf][: None if nobody else -1]]
        return bool(np.isclose(cost(z, y, a, m, got), min(tried)))

    return fits


def _minus_f1(z: np.ndarray, y: np.ndarray, a: float, m: float, cut: float) -> float:
    """Give F1 with its sign turned, to be made as small as can be."""
    return -2 * y[z >= cut].sum() / ((z >= cut).sum() + y.sum())


def _just_below(z: np.ndarray, y: np.ndarray, a: float, m: float, got: float) -> bool:
    """Say whether `>` in place of `>=` would make a cut right."""
    above = float(min(z[z > got], default=np.inf))
    return bool(np.isclose(_price(z, y, a, m, above), _price(z, y, a, m, _cheapest(z, y, a, m))))


def _as_probability(z: np.ndarray, y: np.ndarray, a: float, m: float, got: float) -> bool:
    """Say whether a cut would be right on the probabilities."""
    p = 1 / (1 + np.exp(-z))
    return 0 <= got <= 1 and bool(
        np.isclose(_price(p, y, a, m, got - 1e-6), _price(z, y, a, m, _cheapest(z, y, a, m)))
    )


# tells from a label's logits, labels, two prices and the cut that came whether it is this mistake
_CUTS_FOR_PRICES: dict[str, Callable[..., bool]] = {
    "this is Elkan's cut, by the prices alone; these labels were not looked at": (
        _at(lambda a, m: np.log(a / m))
    ),
    "this is Elkan's cut as a probability; a cut on the logits is asked for": (
        _at(lambda a, m: a / (a + m))
    ),
    "0 takes no notice of the prices": _at(lambda a, m: 0),
    "nobody gets a label": _at(lambda a, m: np.inf),
    "everybody gets every label": _at(lambda a, m: -np.inf),
    "false_positive and false_negative have changed places": (
        _least(lambda z, y, a, m, cut: _price(z, y, m, a, cut))
    ),
    "this counts mistakes, whatever their price": (
        _least(lambda z, y, a, m, cut: _price(z, y, 1, 1, cut))
    ),
    "this is the dearest": _least(lambda z, y, a, m, cut: -_price(z, y, a, m, cut)),
    "to give the label to nobody (np.inf) can be the cheapest": _least(_price, nobody=False),
    "this is the best F1, not the least cost": _least(_minus_f1),
    "these would be right if `>` gave the label, but `>=` does": _just_below,
    "these are probabilities; cuts on the logits are asked for": _as_probability,
}


def _cuts_for_new_prices(answer: Callable[[Any, Any, Any, Any], Any]) -> str | None:
    z = np.array(
        [
            [2.5, 1.0, -0.5, 0.5],
            [-0.25 - 2**-16, 2.0, -2.0, 1.5],
            [0.5, 2.0, -3.0, -1.0],  # the second label has a tie
            [1.5, -1.5, -1.5, 2.5],
            [-2.5, 0.5, -2.5, -2.0],
            [-0.25, -0.25, -1.0, -3.0],  # the first has a 0 just below: no grid steps between them
            [0.25, -2.0, -3.5, 0.25],
            [-2.0, -3.0, -4.0, -0.5],
        ]
    )
    labels = np.array(
        [
            [1, 0, 0, 1],
            [0, 1, 1, 0],
            [1, 0, 0, 0],
            [0, 1, 0, 1],
            [0, 1, 1, 0],
            [1, 0, 0, 1],
            [0, 1, 0, 0],
            [0, 0, 1, 0],
        ]
    )
    dear = np.array([1.0, 2.0, 9.0, 1.0]), np.array([4.0, 3.0, 1.0, 1.5])
    cheap = np.array([5.0, 1.0, 1.0, 4.0]), np.array([1.0, 6.0, 2.0, 1.0])
    cases, cuts, failed = [dear, cheap], [], ""
    for alarm, miss in cases:
        got, hint = many_numbers(
            answer(z.copy(), labels.copy(), alarm.copy(), miss.copy()), (4,), "one cut a label"
        )
        prices = f"with false_positive {alarm.tolist()} and false_negative {miss.tolist()} "
        if hint:
            return prices + hint
        cuts.append(got)
        for k in range(4):
            one = z[:, k], labels[:, k], alarm[k], miss[k]
            best = _cheapest(*one)
            least, paid = _price(*one, best), _price(*one, got[k])
            if not failed and paid > least + 1e-9:
                failed = (
                    f"{prices}expected {least:g} as the cost of label {k} (logits "
                    f"{z[:, k].tolist()}, labels {labels[:, k].tolist()}), as by the cut {best:g}; "
                    f"got the cut {got[k]:g}, which costs {paid:g}"
                )
    if not failed:
        return None
    for words, made in _CUTS_FOR_PRICES.items():
        if all(
            made(z[:, k], labels[:, k], a[k], m[k], got[k])
            for got, (a, m) in zip(cuts, cases, strict=True)
            for k in range(4)
        ):
            return f"{failed}: {words}"
    if all((got == got[0]).all() for got in cuts):
        return f"{failed}: each label has its own prices, and its own cut"
    return f"{failed}: try every score of the label as a cut, not a grid, and np.inf"


CHECKS: dict[str, Judge] = {
    "03.1": _precision_floor_per_label,
    "03.2": _a_rare_label_is_added,
    "03.3": _cost_per_label,
    "03.4": _best_expected_f1,
    "03.5": _cuts_for_new_prices,
}
