#!/usr/bin/env bash
# CalibratedClassifierCV(method='temperature'): the same network, half the temperature.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Expected (no guess was written down): beta_ is 1 / T, whether the classifier offers its logit or
# its probabilities.
# Seen: a one-column decision function d becomes the two columns -d and d, so that 1 / beta_ is 2
# T; log-probabilities give T. The calibrated probabilities agree.
#
#   scikit-learn 1.9.1
#   Logit: beta_ 0.249, 1 / beta_ 4.02, p 0.730
#   Probability: beta_ 0.497, 1 / beta_ 2.01, p 0.730
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import numpy as np
import sklearn
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator


class Logit(ClassifierMixin, BaseEstimator):
    """Its only feature is the logit, offered as decision_function."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, x):
        return x[:, 0]

    def predict(self, x):
        return (x[:, 0] > 0).astype(int)


class Probability(ClassifierMixin, BaseEstimator):
    """The same, offered as predict_proba."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x):
        return np.c_[expit(-x[:, 0]), expit(x[:, 0])]

    def predict(self, x):
        return (x[:, 0] > 0).astype(int)


rng = np.random.default_rng(0)
logit = 3 * rng.normal(size=(20000, 1))
y = (rng.random(20000) < expit(logit[:, 0] / 2)).astype(int)  # T is 2
print("scikit-learn", sklearn.__version__)
betas, answers = [], []
for kind in (Logit, Probability):
    model = CalibratedClassifierCV(FrozenEstimator(kind().fit(logit, y)), method="temperature")
    model.fit(logit, y)
    betas.append(model.calibrated_classifiers_[0].calibrators[0].beta_)
    answers.append(model.predict_proba(np.array([[2.0]]))[0, 1])
    print(f"{kind.__name__}: beta_ {betas[-1]:.3f}, 1 / beta_ {1 / betas[-1]:.2f}, p {answers[-1]:.3f}")
assert abs(1 / betas[0] - 4) < 0.3
assert abs(1 / betas[1] - 2) < 0.15
assert abs(answers[0] - answers[1]) < 1e-3
END
