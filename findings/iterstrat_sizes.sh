#!/usr/bin/env bash
# iterative-stratification: train_size is taken as a share of train plus test.
#
# Packages: iterative-stratification 0.1.9, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Expected (no guess was written down): train_size=.2 and test_size=.2 of 60 rows: 12 rows each,
# and 36 in neither, as in scikit-learn.
# Seen: 30 rows each: the two shares are scaled to sum to 1, and no row is left out.
#
#   iterative-stratification 0.1.9
#   {'MultilabelStratifiedShuffleSplit': (30, 30), 'ShuffleSplit': (12, 12)}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile iterative-stratification==0.1.9 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
from importlib.metadata import version

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit
from sklearn.model_selection import ShuffleSplit

y = (np.random.default_rng(0).random((60, 3)) < 0.3).astype(int)
print("iterative-stratification", version("iterative-stratification"))
sizes = {}
for splitter in (MultilabelStratifiedShuffleSplit, ShuffleSplit):
    split = splitter(n_splits=1, train_size=0.2, test_size=0.2, random_state=0)
    train, test = next(iter(split.split(y, y)))
    sizes[splitter.__name__] = len(train), len(test)
print(sizes)
assert sizes["MultilabelStratifiedShuffleSplit"] == (30, 30)
assert sizes["ShuffleSplit"] == (12, 12)
END
