#!/usr/bin/env bash
# CalibratedClassifierCV: a class that the calibration rows lack ends in an IndexError.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Expected (no guess was written down): the class keeps its place with a probability of (about) 0,
# or an error names the missing class.
# Seen: an IndexError about the axis of an array, with each of the three methods and whichever
# class is absent.
#
#   scikit-learn 1.9.1
#   class 0 absent, sigmoid: IndexError: index 2 is out of bounds for axis 1 with size 2
#   class 0 absent, isotonic: IndexError: index 2 is out of bounds for axis 1 with size 2
#   class 0 absent, temperature: IndexError: index 2 is out of bounds for axis 1 with size 2
#   class 2 absent, sigmoid: IndexError: index 2 is out of bounds for axis 1 with size 2
#   class 2 absent, isotonic: IndexError: index 2 is out of bounds for axis 1 with size 2
#   class 2 absent, temperature: IndexError: index 2 is out of bounds for axis 1 with size 2
#   all three classes there: 3 probabilities
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import warnings

import numpy as np
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
x = rng.normal(size=(600, 2))
y = np.digitize(x[:, 0] + 0.5 * rng.normal(size=600), [-0.5, 0.5])
model = FrozenEstimator(LogisticRegression().fit(x[:300], y[:300]))
print("scikit-learn", sklearn.__version__)
got = []
for absent in (0, 2):
    rows = np.flatnonzero(y[300:] != absent) + 300
    for method in ("sigmoid", "isotonic", "temperature"):
        try:
            CalibratedClassifierCV(model, method=method).fit(x[rows], y[rows]).predict_proba(x)
            got.append("answered")
        except Exception as error:
            got.append(f"{type(error).__name__}: {error}")
        print(f"class {absent} absent, {method}: {got[-1]}")
whole = CalibratedClassifierCV(model, method="temperature").fit(x[300:], y[300:])
print("all three classes there:", whole.predict_proba(x[:1]).shape[1], "probabilities")
assert all(answer.startswith("IndexError") for answer in got)
END
