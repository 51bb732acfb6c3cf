#!/usr/bin/env bash
# OneVsRestClassifier: the margin of a label that training lacks is 0, on the usual cut.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Expected (no guess was written down): the margin of a label that no training row has lies far
# below 0, as its probability is 0.
# Seen: the probability is 0, the margin 0 too, for every row: cut at 0 with >=, each row gets the
# label. (A warning at fit says that the label is absent.)
#
#   scikit-learn 1.9.1
#   label 2, in no row: probability {0.0} margin {0.0}
#   rows with a margin of 0 or more: 200 of 200
#   label 2, in each row: margin {1.0}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
x = rng.normal(size=(200, 3))
y = (x > 0).astype(int)
y[:, 2] = 0
model = OneVsRestClassifier(LogisticRegression()).fit(x, y)
margin, p = model.decision_function(x)[:, 2], model.predict_proba(x)[:, 2]
print("scikit-learn", sklearn.__version__)
print("label 2, in no row: probability", set(p.tolist()), "margin", set(margin.tolist()))
print("rows with a margin of 0 or more:", int((margin >= 0).sum()), "of 200")
y[:, 2] = 1
always = OneVsRestClassifier(LogisticRegression()).fit(x, y).decision_function(x)[:, 2]
print("label 2, in each row: margin", set(always.tolist()))
assert (p == 0).all() and (margin == 0).all() and (always == 1).all()
END
