#!/usr/bin/env bash
# TunedThresholdClassifierCV: a threshold above every score is never tried.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Guess, before running: where every alarm costs more than it saves, the chosen threshold raises
# no alarm.
# Seen: the grid ends at the largest score, and a score equal to the threshold is positive: one
# alarm is always raised, here for 105 in place of 5. A list of thresholds of one's own can hold a
# larger one.
#
#   scikit-learn 1.9.1
#   thresholds 100 (the default): 0.941, cost 105
#   thresholds [0, .5, 1]: 1.000, cost 5
#   no alarm at all: cost 5
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV


class Given(ClassifierMixin, BaseEstimator):
    """Its only feature is the probability."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x):
        return np.c_[1 - x[:, 0], x[:, 0]]

    def predict(self, x):
        return (x[:, 0] > 0.5).astype(int)


def saved(y, decision):
    """Minus the cost: 100 for a false alarm, 1 for a miss."""
    return -(100 * ((y == 0) & (decision == 1)).sum() + ((y == 1) & (decision == 0)).sum())


x = np.r_[np.linspace(0.1, 0.95, 95), np.linspace(0.1, 0.8, 5)][:, None]
y = np.r_[np.zeros(95, int), np.ones(5, int)]
model = FrozenEstimator(Given().fit(x, y))
print("scikit-learn", sklearn.__version__)
found = {}
for name, thresholds in (("100 (the default)", 100), ("[0, .5, 1]", [0.0, 0.5, 1.0])):
    tuned = TunedThresholdClassifierCV(
        model, scoring=make_scorer(saved), cv="prefit", refit=False, thresholds=thresholds
    ).fit(x, y)
    found[name] = -saved(y, tuned.predict(x))
    print(f"thresholds {name}: {tuned.best_threshold_:.3f}, cost {found[name]}")
print("no alarm at all: cost", -saved(y, np.zeros(100, int)))
assert found["100 (the default)"] > 100
assert found["[0, .5, 1]"] == 5
END
