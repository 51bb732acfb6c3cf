#!/usr/bin/env bash
# scikit-learn: log_loss of the same predictions depends on their number format.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Expected (no guess was written down): 0 and 1 are the same number in any format: so is the loss
# of a sure mistake.
# Seen: probabilities are kept one step of their own format away from 0 and 1: a sure mistake
# costs 6.9 in float16, 15.9 in float32, 36.0 in float64 (the means over two rows are printed).
#
#   scikit-learn 1.9.1
#   float16: 3.46
#   float32: 7.97
#   float64: 18.02
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import numpy as np
import sklearn
from sklearn.metrics import log_loss

truth = [1, 0]
sure = np.array([[0.0, 1.0], [0.0, 1.0]])  # right, then wrong
print("scikit-learn", sklearn.__version__)
loss = {}
for kind in (np.float16, np.float32, np.float64):
    loss[kind.__name__] = float(log_loss(truth, sure.astype(kind)))
    print(f"{kind.__name__}: {loss[kind.__name__]:.2f}")
assert loss["float16"] < 4 < loss["float32"] < 9 < loss["float64"]
END
