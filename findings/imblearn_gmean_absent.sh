#!/usr/bin/env bash
# imbalanced-learn: a class that no row has sets the geometric mean to 0.
#
# Packages: imbalanced-learn 0.14.2, scikit-learn 1.9.1, numpy 2.4.6.
# Guess, before running: a class without rows is left out of the geometric mean of recalls, or gives
# nan with a warning.
# Seen: 0.0 for a classifier without a mistake, as though the recall of the absent class were 0 (a
# warning says that it is ill-defined).
#
#   imbalanced-learn 0.14.2
#   every row right, class 2 has none: 0.0 warnings: ['UndefinedMetricWarning']
#   without labels= 1.0
#   balanced accuracy 1.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile imbalanced-learn==0.14.2 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import warnings

import imblearn
from imblearn.metrics import geometric_mean_score
from sklearn.metrics import balanced_accuracy_score, recall_score

truth = [0, 0, 1, 1, 1]
print("imbalanced-learn", imblearn.__version__)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    all_right = geometric_mean_score(truth, truth, labels=[0, 1, 2])
kinds = sorted({w.category.__name__ for w in seen})
print("every row right, class 2 has none:", all_right, "warnings:", kinds)
print("without labels=", geometric_mean_score(truth, truth))
print("balanced accuracy", balanced_accuracy_score(truth, truth))
assert all_right == 0
assert geometric_mean_score(truth, truth) == 1
END
