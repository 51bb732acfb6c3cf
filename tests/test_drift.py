"""Claims about helpers.reference and helpers.drift: what moved, and the cost without labels."""

import numpy as np
import pytest
from scipy.stats import binom

from helpers.decisions import (
    BinaryThreshold,
    Costs,
    LabelThresholds,
    RejectCosts,
    RejectOption,
    ReviewBand,
    choose_unknown_cut,
)
from helpers.drift import compare, drift_table
from helpers.reference import (
    REFERENCE_FILE,
    make_reference,
    read_reference,
    unknown_words,
    write_reference,
)

PRICES = Costs(false_positive=1, false_negative=10)
RULE = BinaryThreshold.from_costs(PRICES, label_names=("wait", "urgent"))
OLD = 0.15


def yes_no(rng, n, rate=OLD, apart=2.0):
    """Draw labels and calibrated logits of two normal classes."""
    y = rng.random(n) < rate
    x = rng.normal(size=n) + apart * y
    return y, 2.0 * x - 2.0 + np.log(OLD / (1 - OLD))


def reference_of(z, y):
    """Make a reference without texts that matter."""
    return make_reference(z, y, ["a text"] * len(z))


def moved(found):
    """Name the lines that moved."""
    return {row["what"] for row in found.table if row["moved"]}


def test_nothing_is_said_to_move_where_nothing_does():
    """In 300 pairs of samples of one kind, about one table in twenty at most says "moved"."""
    rng, false = np.random.default_rng(0), 0
    for _ in range(300):
        then = reference_of(*yes_no(rng, 400)[::-1])
        _, z = yes_no(rng, 300)
        false += any(row["moved"] for row in drift_table(RULE, then, RULE.explain(z)))
    assert false <= binom.ppf(0.999, 300, 0.05)


def test_a_moved_base_rate_is_named_and_its_cost_held():
    """Only the share of 1s falls: the base rate explains all, and intervals hold the true figures.

    Each 95 % interval is asked 30 times; it also spans the rate's own, so it holds more often.
    """
    rng, named, explained = np.random.default_rng(1), 0, 0
    held = dict.fromkeys(("base rate", "cost", "recall", "precision"), 0)
    for _ in range(30):
        then = reference_of(*yes_no(rng, 1000)[::-1])
        y, z = yes_no(rng, 1000, rate=0.05)
        found = compare(RULE, then, RULE.explain(z))
        named += "base rate" in moved(found)
        explained += "distance that the base rate leaves" not in moved(found)
        said = RULE.decide(z)
        true = {
            "base rate": y.mean(),
            "cost": PRICES.of(y, said).mean(),
            "recall": (y & (said == 1)).sum() / y.sum(),
            "precision": y[said == 1].mean(),
        }
        for row in found.figures:
            if row["what"] in held:
                held[row["what"]] += row["low"] - 1e-9 <= true[row["what"]] <= row["high"] + 1e-9
    assert named >= 28 and explained >= 29
    for name, times in held.items():
        assert times >= binom.ppf(0.001, 30, 0.93), (name, times)
    assert "--old-rate" in found.advice and "explains the scores" in found.advice


def test_the_rule_moved_by_its_advice_is_cheaper():
    """The line for the moved rule says less than that for the rule as it is, and the truth too."""
    rng = np.random.default_rng(2)
    then = reference_of(*yes_no(rng, 2000)[::-1])
    y, z = yes_no(rng, 5000, rate=0.02)
    found = {row["what"]: row for row in compare(RULE, then, RULE.explain(z)).figures}
    assert found["cost, rule moved"]["now"] < found["cost"]["now"]
    better = RULE.at_base_rate(old=found["base rate"]["then"], new=found["base rate"]["now"])
    cost = PRICES.of(y, better.decide(z)).mean()
    assert cost < PRICES.of(y, RULE.decide(z)).mean()
    assert found["cost, rule moved"]["low"] < cost < found["cost, rule moved"]["high"]
    again = {row["what"] for row in compare(better, then, better.explain(z)).figures}
    assert "cost, rule moved" not in again  # it stands there already


def test_texts_of_a_new_kind_are_told_from_another_base_rate():
    """A third kind of text is no mixture of the two, and the advice asks for labels."""
    rng = np.random.default_rng(3)
    then = reference_of(*yes_no(rng, 1000)[::-1])
    _, z = yes_no(rng, 1000)
    z[:300] = rng.normal(0.2, 0.3, 300)
    found = compare(RULE, then, RULE.explain(z))
    assert "distance that the base rate leaves" in moved(found)
    assert "Label a random sample" in found.advice


def test_what_looks_like_another_base_rate_passes():
    """1s that look like 0s are the stated limit: nothing is noticed, and recall is too high."""
    rng = np.random.default_rng(4)
    then = reference_of(*yes_no(rng, 1000)[::-1])
    y, z = yes_no(rng, 3000)
    hidden = y & (rng.random(3000) < 0.6)
    z[hidden] = yes_no(rng, int(hidden.sum()), rate=0.0)[1]
    found = compare(RULE, then, RULE.explain(z))
    recall = next(row for row in found.figures if row["what"] == "recall")
    assert "distance that the base rate leaves" not in moved(found)
    assert recall["low"] > (y & (RULE.decide(z) == 1)).sum() / y.sum() + 0.2


def test_probabilities_that_are_not_calibrated_are_noticed_on_the_old_rows():
    """Where the method misses what was counted with labels, its line says so."""
    rng = np.random.default_rng(5)
    y, z = yes_no(rng, 2000)
    _, new = yes_no(rng, 1000)
    rule = BinaryThreshold(cut=0.0)
    found = compare(rule, reference_of(3 * z, y), rule.explain(3 * new), costs=PRICES)
    assert any("not calibrated" in row["meaning"] for row in found.figures)
    assert "labels contradict" in found.advice
    for bias in (0, 2):  # a shift is mended by the rows of then
        found = compare(rule, reference_of(z + bias, y), rule.explain(new + bias), costs=PRICES)
        assert not any("not calibrated" in row["meaning"] for row in found.figures)


def test_a_band_has_a_line_for_what_people_read():
    """The share to read is watched, its price counts, and a moved base rate asks for a new band."""
    rng = np.random.default_rng(6)
    band = ReviewBand.from_costs(PRICES, review=0.4, label_names=("wait", "urgent"))
    then = reference_of(*yes_no(rng, 1000)[::-1])
    y, z = yes_no(rng, 3000, rate=0.03)
    found = compare(band, then, band.explain(z))
    assert {'share of "urgent"', 'share of "review"', "base rate"} <= moved(found)
    said = band.decide(z)
    true = np.where(said == 2, 0.4, PRICES.of(y, np.minimum(said, 1))).mean()
    cost = next(row for row in found.figures if row["what"] == "cost")
    assert cost["low"] <= true <= cost["high"] and "choose the band anew" in found.advice
    dear = compare(band, then, band.explain(z), review=2.0).figures
    assert next(row for row in dear if row["what"] == "cost")["now"] > cost["now"]


def classes(rng, n, unknown=0.0):
    """Draw logits of three labels whose softmax is calibrated; unknown messages are small."""
    z = 2.5 * rng.normal(size=(n, 3))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1)
    new = rng.random(n) < unknown
    z[new] = 0.3 * rng.normal(size=(new.sum(), 3)) - 3
    return z, np.where(new, 3, y)


def test_unsure_and_unknown_have_a_line_each():
    """More unknown messages move their own line, and the expected cost is the counted one."""
    rng = np.random.default_rng(7)
    z, y = classes(rng, 1500, unknown=0.05)
    rule = RejectOption.from_costs(RejectCosts(reject=0.3), label_names=("a", "b", "c"))
    rule = choose_unknown_cut(rule, z, y, max_lost=0.02)
    later, _ = classes(rng, 1500, unknown=0.3)
    found = compare(rule, reference_of(z, y), rule.explain(later))
    assert 'share of "Other", unknown' in moved(found)
    (unsure,) = (row for row in found.table if row["what"] == 'share of "Other", unsure')
    assert unsure["now"] < unsure["then"]
    later, true = classes(rng, 4000)
    found = compare(rule, reference_of(z, y), rule.explain(later))
    said, rows = rule.decide(later), {row["what"]: row for row in found.figures}
    wrong = (said != true)[said < 3].mean()
    assert rows["wrong answers"]["low"] <= wrong <= rows["wrong answers"]["high"]
    cost = RejectCosts(reject=0.3).of(true, said, n_classes=3).mean()
    assert rows["cost"]["low"] <= cost <= rows["cost"]["high"]


def test_each_of_many_labels_has_its_base_rate():
    """A label that doubles is named, the others are not, and one that never occurred has none."""
    rng = np.random.default_rng(8)

    def draw(n, rates):
        y = rng.random((n, 3)) < rates
        old = np.array([0.1, 0.3, 0.2])
        return 2.0 * (rng.normal(size=y.shape) + 2.0 * y) - 2 + np.log(old / (1 - old)), y

    rule = LabelThresholds(cuts=(0.0, 0.0, 0.0), label_names=("a", "b", "c"))
    z, y = draw(2000, [0.1, 0.3, 0.0])
    new, true = draw(3000, [0.2, 0.3, 0.0])
    found = compare(rule, reference_of(z, y), rule.explain(new))
    assert {'share of "a"', "share with no label"} <= moved(found)
    assert 'share of "b"' not in moved(found)
    rates = {row["what"]: row for row in found.figures}
    assert list(rates) == ['base rate of "a"', 'base rate of "b"']
    assert (
        rates['base rate of "a"']["low"] <= true[:, 0].mean() <= rates['base rate of "a"']["high"]
    )


def test_new_words_are_noticed():
    """Texts about something new have words that the network has not seen; copies have none."""
    rng = np.random.default_rng(9)
    y, z = yes_no(rng, 400)
    words = np.array(
        ["the", "my", "our", "bin", "road", "lamp", "leak", "tap", "water", "street", "bus", "stop"]
    )
    train = [" ".join(rng.choice(words[:10], 6)) for _ in range(400)]
    old = [" ".join(rng.choice(words, 6)) for _ in range(400)]
    then = make_reference(z, y, old, train_texts=train)
    new = [" ".join(rng.choice(words, 6)) for _ in range(400)]
    assert "unknown words" not in moved(compare(RULE, then, RULE.explain(z), texts=new))
    other = [f"{text} laptop quantum" for text in new]
    found = compare(RULE, then, RULE.explain(z), texts=other)
    assert {"unknown words", "words a text"} <= moved(found) and "Label a random" in found.advice


def test_without_training_texts_a_word_counts_where_others_have_it():
    """A text cannot vouch for its own words."""
    then = make_reference([1.0, 0.0, -1.0], [1, 0, 0], ["a leak a", "a bin", "the bin"])
    assert then.unknown.tolist() == [0.5, 0.0, 0.5]
    assert unknown_words(["a leak", "zoo"], then.words).tolist() == [0.0, 1.0]


def test_of_many_words_a_sample_tells(monkeypatch):
    """With only the smallest hashes kept, only words below them are asked about."""
    import helpers.reference

    monkeypatch.setattr(helpers.reference, "MOST", 500)
    known = [f"word{i}" for i in range(2000)]
    then = make_reference([1.0], [1], ["word1"], train_texts=known)
    assert len(then.words) == 500
    mixed = [" ".join(known[:1000] + [f"new{i}" for i in range(1000)])]
    assert unknown_words(mixed, then.words)[0] == pytest.approx(0.5, abs=0.1)


def test_of_many_rows_a_sample_is_kept(monkeypatch):
    """Rows of logits and labels stay together, and the sample is the same each time."""
    import helpers.reference

    monkeypatch.setattr(helpers.reference, "MOST_NUMBERS", 100)
    z = np.arange(200.0)
    first, again = (make_reference(z, z % 7, ["a"] * 200) for _ in range(2))
    assert len(first.logits) == 100 and np.array_equal(first.labels, first.logits % 7)
    assert np.array_equal(first.logits, again.logits)


def test_a_reference_survives_its_file(tmp_path):
    """What is read is what was written; a broken file and a missing one say so."""
    kept = make_reference([[1.0, 2.0]], [1], ["a leak"])
    write_reference(tmp_path, kept)
    again = read_reference(tmp_path)
    for name, value in vars(kept).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    (tmp_path / REFERENCE_FILE).write_bytes(b"nothing")
    with pytest.raises(ValueError, match="cannot be read"):
        read_reference(tmp_path)
    with pytest.raises(ValueError, match="keeps no rows that chose its rule: train or adopt"):
        read_reference(tmp_path / "elsewhere")


THEN = reference_of(np.array([1.0, -1.0, 0.5]), [1, 0, 1])
OTHER = BinaryThreshold(cut=3.0, label_names=("wait", "urgent"))


@pytest.mark.parametrize(
    ("records", "options", "words"),
    [
        (RULE.explain([1.0]), {}, "at least two decided rows, got 1"),
        (
            OTHER.explain([1.0, 2.0]),
            {},
            r"another rule decided these rows, with the threshold 0\.95",
        ),
        ([{"label": "a"}] * 2, {}, "they have no decision_positive_label"),
        (RULE.explain([1.0, 2.0]), {"texts": ["a"]}, "a text for each of 2 records, got 1"),
        (RULE.explain([1.0, 2.0]), {"confidence_level": 1}, "confidence_level must"),
        (RULE.explain([1.0, 2.0]), {"costs": RejectCosts(reject=1)}, "costs must be Costs"),
    ],
)
def test_what_makes_no_sense_is_refused(records, options, words):
    """Each wrong call says what was expected."""
    with pytest.raises(ValueError, match=words):
        compare(RULE, THEN, records, **options)


def test_a_reference_needs_rows_and_both_labels():
    """Unequal numbers of rows, none, and rows of one label alone."""
    with pytest.raises(ValueError, match="same number of rows, at least 1, got 2, 1 and 1"):
        make_reference([1.0, 2.0], [1], ["a"])
    with pytest.raises(ValueError, match="same number of rows, at least 1, got 0, 0 and 0"):
        make_reference([], [], [])
    one = reference_of(np.array([1.0, 2.0]), [1, 1])
    with pytest.raises(ValueError, match="have one label alone"):
        compare(RULE, one, RULE.explain([1.0, 2.0]))


def test_without_any_1_in_reach_figures_stay_numbers_or_nothing():
    """Where the rate may be 0, recall has an interval; without alarms there is no precision."""
    rng = np.random.default_rng(10)
    then = reference_of(*yes_no(rng, 500)[::-1])
    _, z = yes_no(rng, 200, rate=0.0)
    found = {row["what"]: row for row in compare(RULE, then, RULE.explain(z)).figures}
    assert found["base rate"]["low"] == 0 and found["recall"]["low"] <= found["recall"]["high"]
    never = BinaryThreshold(cut="never", label_names=("wait", "urgent"))
    found = {row["what"]: row for row in compare(never, then, never.explain(z)).figures}
    assert np.isnan(found["precision"]["now"]) and found["recall"]["now"] == 0
