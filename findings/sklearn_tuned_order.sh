#!/usr/bin/env bash
# TunedThresholdClassifierCV: a list of thresholds out of order gives wrong scores.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Expected (no guess was written down): the order of the list does not matter, or a list that is
# not ascending is refused.
# Seen: no error; the scores of a descending list belong to other thresholds, and the wrong one is
# chosen.
#
#   scikit-learn 1.9.1
#   [0.1, 0.3, 0.9] mean F1 [0.473 0.539 0.026] chosen 0.3
#   [0.9, 0.3, 0.1] mean F1 [0.473 0.473 0.026] chosen 0.9
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV

rng = np.random.default_rng(0)
x = rng.normal(size=(1000, 1))
y = (x[:, 0] + rng.normal(size=1000) > 1.5).astype(int)
best = {}
print("scikit-learn", sklearn.__version__)
for thresholds in ([0.1, 0.3, 0.9], [0.9, 0.3, 0.1]):
    tuned = TunedThresholdClassifierCV(
        LogisticRegression(), scoring="f1", thresholds=thresholds, store_cv_results=True
    ).fit(x, y)
    scores = tuned.cv_results_["scores"]
    best[thresholds[0]] = tuned.best_threshold_
    print(thresholds, "mean F1", scores.round(3), "chosen", tuned.best_threshold_)
assert best[0.1] == 0.3
assert best[0.9] != 0.3
END
