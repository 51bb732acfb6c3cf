"""Claims about helpers.exercises: answers are checked, and never break the reader's notebook."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from helpers.exercises import _CHECKS, STRICT_VARIABLE, Checked, check, claim
from helpers.probabilities import confidence, logit, prior_shift, sigmoid, softmax


@pytest.fixture(autouse=True)
def not_strict(monkeypatch):
    """Check as in a reader's notebook, whatever the environment says."""
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)


def band(p, costs, review):
    """Take the cheapest of waiting, a review and sending, row by row."""
    wait, send = costs.false_negative * p, costs.false_positive * (1 - p)
    cheap = np.where(wait <= send, "wait", "send")
    return np.where(np.minimum(wait, send) <= review, cheap, "review")


def floor_cuts(z, labels, floor):
    """Take the lowest of a label's own scores whose precision reaches the floor."""
    cuts = []
    for scores, true in zip(z.T, labels.T, strict=True):
        fit = [cut for cut in scores if true[scores >= cut].mean() >= floor]
        cuts.append(min(fit, default=np.inf))
    return cuts


def first_floor_cuts(z, labels, floor):
    """Go down from the top and stop at the first cut that fails."""
    cuts = []
    for scores, true in zip(z.T, labels.T, strict=True):
        cuts.append(np.inf)
        for cut in np.unique(scores)[::-1]:
            if true[scores >= cut].mean() < floor:
                break
            cuts[-1] = cut
    return cuts


def with_new_label(labels, predicted, n_new):
    """Append the new label as columns, and let scikit-learn count."""
    rows = max(len(labels), n_new)
    labels, predicted = (np.pad(one, ((0, rows - len(one)), (0, 1))) for one in (labels, predicted))
    labels[:n_new, -1] = 1
    return [f1_score(labels, predicted, average=average) for average in ("micro", "macro")]


def shared(waiting, limit):
    """Deal waiting requests into batches of at most so many texts."""
    batches = []
    for n in waiting:
        if batches and sum(batches[-1]) + n <= limit:
            batches[-1].append(n)
        else:
            batches.append([n])
    return batches


RIGHT = {
    "01.1": [lambda alarm, miss: alarm / (alarm + miss), lambda a, m: 1 / (1 + m / a)],
    "01.2": [
        lambda z, threshold: (sigmoid(z).ravel() >= threshold).astype(int),
        lambda z, threshold: z[:, 0] >= logit(threshold),
    ],
    "01.3": [
        lambda p, alarm, miss: p * miss >= (1 - p) * alarm,
        lambda p, alarm, miss: (p >= alarm / (alarm + miss)).astype(float),
    ],
    "01.4": [band, lambda p, costs, review: band(p, costs, review).tolist()],
    "02.1": [
        lambda z, lead: np.where(
            confidence(z, measure="margin") >= lead, z.argmax(axis=1), z.shape[1]
        ),
        lambda z, lead: [
            int(row.argmax()) if np.diff(np.sort(softmax(row))[-2:])[0] >= lead else len(row)
            for row in z
        ],
    ],
    "02.2": [
        lambda names, labels: (sorted(set(names) - set(labels)), sorted(set(labels) - set(names))),
        lambda names, labels: [
            [n for n in sorted(names) if n not in labels],
            np.unique([n for n in labels if n not in names]),
        ],
    ],
    "02.3": [
        lambda sure, capacity: np.append(np.sort(sure), np.inf)[capacity],
        lambda sure, capacity: max(
            c for c in [*sure, sure.max() + 1] if (sure < c).sum() <= capacity
        ),
    ],
    "03.1": [floor_cuts, lambda z, y, floor: np.array(floor_cuts(z, y, floor)) - 1e-9],
    "03.2": [with_new_label],
    "03.3": [
        lambda p, alarm, miss: (p >= alarm / (alarm + miss)).astype(int),
        lambda p, alarm, miss: p * miss >= (1 - p) * alarm,
    ],
    "03.4": [
        lambda p: max(
            range(1, len(p) + 1), key=lambda k: np.sort(p)[::-1][:k].sum() / (k + p.sum())
        )
    ],
    "04.1": [
        lambda t, old, new: sigmoid(logit(t) - prior_shift(old=old, new=new)),
        lambda t, old, new: 1 / (1 + (1 - t) / t * (1 - old) / old * new / (1 - new)),
    ],
    "04.2": [
        lambda one, many, n: (one - (many - one) / (n - 1), (many - one) / (n - 1)),
        lambda one, many, n: np.linalg.solve([[1, 1], [1, n]], [one, many]),
    ],
    "04.3": [shared, lambda waiting, limit: tuple(map(tuple, shared(waiting, limit)))],
    "04.4": [
        lambda alarms, n, p: abs(alarms / n - p) > 3 * np.sqrt(p * (1 - p) / n),
        lambda alarms, n, p: int((alarms - n * p) ** 2 > 9 * n * p * (1 - p)),
    ],
}
WRONG = {
    "01.1": [
        (lambda alarm, miss: miss / (alarm + miss), "a false alarm at 1 and a miss at 20"),
        (lambda alarm, miss: 0.5, "your cut is 0.5"),
        (lambda alarm, miss: None, "your cut is None"),
        (lambda alarm, miss: np.nan, "your cut is nan"),
    ],
    "01.2": [
        (lambda z, threshold: sigmoid(z) >= threshold, r"shape \(4,\), got \(4, 1\)"),
        (lambda z, threshold: z[:, 0] >= threshold, r"at the threshold 0.5 expected"),
        (lambda z, threshold: z[:, 0] >= 0, r"at the threshold 0.7 expected"),
        (lambda z, threshold: None, r"shape \(4,\), got \(\)"),
        (lambda z, threshold: 1.9 * (sigmoid(z[:, 0]) >= threshold), r"at the threshold 0.5"),
    ],
    "01.3": [
        (lambda p, alarm, miss: p >= 0.5, "row by row"),
        (lambda p, alarm, miss: p * miss > (1 - p) * alarm, "row by row"),
        (lambda p, alarm, miss: (p * miss >= (1 - p) * alarm)[:, None], r"shape \(5,\)"),
        (lambda p, alarm, miss: True, r"shape \(5,\), got \(\)"),
    ],
    "01.4": [
        (lambda p, costs, review: np.where(p > 0.5, "send", "wait"), "with a review at 0.5"),
        (lambda p, costs, review: np.full(6, "review"), "with a review at 0.5"),
        (lambda p, costs, review: "wait", "with a review at 0.5"),
    ],
    "02.1": [
        (lambda z, lead: np.where(softmax(z).max(axis=1) >= lead, z.argmax(axis=1), 3), "lead of"),
        (
            lambda z, lead: np.where(confidence(z, measure="margin") > lead, z.argmax(axis=1), -1),
            "lead",
        ),
        (lambda z, lead: z.argmax(axis=1), "no row becomes Other"),
        (lambda z, lead: None, r"shape \(4,\), not \(\)"),
    ],
    "02.2": [
        (lambda names, labels: ([], []), "what is listed and never found"),
        (lambda names, labels: (sorted(set(names) - set(labels)), []), "got"),
        (
            lambda names, labels: (
                sorted(set(labels) - set(names)),
                sorted(set(names) - set(labels)),
            ),
            "expected",
        ),
    ],
    "02.3": [
        (lambda sure, capacity: np.append(np.sort(sure), 2)[min(capacity + 1, 6)], "room for 1"),
        (lambda sure, capacity: 0.5, "hands over 2, expected 1"),
        (
            lambda sure, capacity: np.quantile(sure, capacity / len(sure)),
            "hands over 5, expected 6",
        ),
    ],
    "03.1": [
        (first_floor_cuts, "may still reach the floor"),
        (lambda z, y, floor: np.zeros(4), "with a floor of 0.6 your cut for label"),
        (lambda z, y, floor: 0.5, r"shape \(4,\), got \(\)"),
        (lambda z, y, floor: [np.inf] * 4, "finds the most"),
    ],
    "03.2": [
        (lambda said, y, n: with_new_label(said, y, 0), "5 more misses"),
        (lambda said, y, n: with_new_label(said, y, n)[::-1], "expected micro-F1"),
        (lambda said, y, n: f1_score(y, said, average="micro"), "expected micro-F1"),
    ],
    "03.3": [
        (lambda p, alarm, miss: (p >= 0.5).astype(int), "each label has its own cut"),
        (lambda p, alarm, miss: p > alarm / (alarm + miss), "each label has its own cut"),
        (lambda p, alarm, miss: p[:, 0] >= 0.5, r"shape \(3, 3\), got \(3,\)"),
    ],
    "03.4": [
        (lambda p: int((p >= 0.5).sum()), "try every number"),
        (lambda p: len(p), "expected positives"),
        (lambda p: None, "not None"),
    ],
    "04.1": [
        (lambda t, old, new: t * old / new, "from 0.1 to 0.02 you give 0.25"),
        (lambda t, old, new: sigmoid(logit(t) + prior_shift(old=old, new=new)), "from 0.1 to 0.5"),
        (lambda t, old, new: None, "you give None"),
    ],
    "04.2": [
        (lambda one, many, n: one, "two equations"),
        (lambda one, many, n: (0.0, many / n), "two equations"),
        (lambda one, many, n: None, "you give None"),
    ],
    "04.3": [
        (lambda waiting, limit: [waiting], r"with \[3, 3, 3\] waiting"),
        (lambda waiting, limit: [[n] for n in waiting], r"with \[1, 1, 1\] waiting"),
        (lambda waiting, limit: [b for b in shared(waiting, limit) if sum(b) <= limit], "alone"),
    ],
    "04.4": [
        (lambda alarms, n, p: alarms / n > p, "120 alarms among 1000"),
        (lambda alarms, n, p: alarms > n * p + 3 * np.sqrt(n * p * (1 - p)), "60 alarms"),
        (lambda alarms, n, p: np.array([True]), "130 alarms"),
    ],
}
right = pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
wrong = pytest.mark.parametrize(
    ("name", "answer", "words"), [(n, a, words) for n in WRONG for a, words in WRONG[n]]
)
every = pytest.mark.parametrize("name", sorted(_CHECKS))


def broken(*arguments):
    """Raise, as a learner's first try may."""
    raise ZeroDivisionError("oh")


def test_every_exercise_is_tested():
    """This file has right and wrong answers for each exercise that there is."""
    assert set(RIGHT) == set(WRONG) == set(_CHECKS)


@every
@pytest.mark.parametrize("answer", [None, ...])
def test_no_answer_yet(name, answer):
    """The placeholder and None count as not answered."""
    assert check(name, answer).status == "not answered"


@right
def test_right_answers(name, answer):
    """A right answer is called right, in whatever form it is written."""
    assert check(name, answer) == Checked("right", "well done")


def test_a_tie_may_go_either_way():
    """Where a review costs just what waiting costs, preferring the review is right as well."""

    def reviewing(p, costs, review):
        wait, send = costs.false_negative * p, costs.false_positive * (1 - p)
        cheap = np.where(wait <= send, "wait", "send")
        return np.where(np.minimum(wait, send) < review, cheap, "review")

    assert check("01.4", reviewing).status == "right"


@wrong
def test_wrong_answers(name, answer, words):
    """A wrong answer draws a hint that shows where it went wrong."""
    found = check(name, answer)
    assert found.status == "hint"
    with pytest.raises(ValueError, match=words):
        raise ValueError(found.message)


@every
@pytest.mark.parametrize("answer", [broken, 0.5, "p"])
def test_answers_that_raise(name, answer):
    """An answer that raises, or is no function, draws a hint with the error's name."""
    found = check(name, answer)
    assert found.status == "hint" and "your answer raised" in found.message
    if answer is broken:
        assert "ZeroDivisionError: oh" in found.message


@every
@pytest.mark.parametrize("answer", [..., None, broken, lambda *arguments: -1.0])
def test_strict_mode_raises(name, answer, monkeypatch):
    """With the environment variable set, all but a right answer is an error."""
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    with pytest.raises(AssertionError, match=f"exercise {name}: (hint|not answered)"):
        check(name, answer)


@right
def test_strict_mode_lets_right_answers_pass(name, answer, monkeypatch):
    """With the environment variable set, a right answer is still right."""
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    assert check(name, answer).status == "right"


def test_unknown_exercise():
    """A name that there is not is refused with those that there are."""
    with pytest.raises(ValueError, match=r"no exercise '9.9'; there are 01.1, 01.2"):
        check("9.9", ...)


@pytest.mark.parametrize("released", [True, False])
def test_a_claim_that_holds(released):
    """A claim that holds says so at any settings."""
    assert repr(claim("2 < 3", 2 < 3, released=released)) == "holds: 2 < 3"


def test_a_claim_that_does_not_hold():
    """Elsewhere it differs; at the released settings it is an error."""
    assert repr(claim("3 < 2", 3 < 2, released=False)) == "differs here: 3 < 2"
    with pytest.raises(AssertionError, match="does not hold: 3 < 2"):
        claim("3 < 2", 3 < 2, released=True)


def test_a_claim_takes_numpys_truth():
    """A comparison of numpy numbers is a claim as well."""
    assert claim("less", np.float64(1) < 2, released=True).status == "holds"
