#!/usr/bin/env bash
# FixedThresholdClassifier at .5 does not decide as the classifier it wraps.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Expected (no guess was written down): a fixed threshold of .5 on predict_proba gives what
# predict gives.
# Seen: predict takes the first class at a tie, the fixed threshold the second; with 10 trees a
# tie is common.
#
#   scikit-learn 1.9.1
#   500 rows, 46 at .5 exactly; 46 decided otherwise
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier

rng = np.random.default_rng(0)
x = rng.normal(size=(1000, 3))
y = (x[:, 0] + rng.normal(size=1000) > 0).astype(int)
forest = RandomForestClassifier(n_estimators=10, random_state=0).fit(x[:500], y[:500])
fixed = FixedThresholdClassifier(FrozenEstimator(forest), threshold=0.5).fit(x[:500], y[:500])
tie = forest.predict_proba(x[500:])[:, 1] == 0.5
own, wrapped = forest.predict(x[500:]), fixed.predict(x[500:])
print("scikit-learn", sklearn.__version__)
print(f"500 rows, {tie.sum()} at .5 exactly; {(own != wrapped).sum()} decided otherwise")
assert tie.sum() > 10
assert (own[tie] == 0).all() and (wrapped[tie] == 1).all()
assert (own[~tie] == wrapped[~tie]).all()
END
