#!/usr/bin/env bash
# iterative-stratification: without shuffling the folds are still drawn at random.
#
# Packages: iterative-stratification 0.1.9, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Expected (no guess was written down): shuffle=False and no random_state: the same rows give the
# same folds, as in scikit-learn's KFold.
# Seen: five calls in a row give other folds each time: ties are broken with numpy's global
# generator, whatever shuffle says.
#
#   iterative-stratification 0.1.9
#   two calls with shuffle=False agree: [False, False, False, False, False]
#   after numpy's global seed they agree: True
#   StratifiedKFold without a seed agrees: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile iterative-stratification==0.1.9 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
from importlib.metadata import version

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
from sklearn.model_selection import StratifiedKFold

y = (np.random.default_rng(0).random((200, 4)) < 0.3).astype(int)


def folds():
    splits = MultilabelStratifiedKFold(n_splits=4, shuffle=False).split(y, y)
    return [test.tolist() for _, test in splits]


same = [folds() == folds() for _ in range(5)]
print("iterative-stratification", version("iterative-stratification"))
print("two calls with shuffle=False agree:", same)
np.random.seed(0)
a = folds()
np.random.seed(0)
print("after numpy's global seed they agree:", a == folds())
single = [[t.tolist() for _, t in StratifiedKFold(4).split(y, y[:, 0])] for _ in range(2)]
print("StratifiedKFold without a seed agrees:", single[0] == single[1])
assert not any(same)
assert single[0] == single[1]
END
