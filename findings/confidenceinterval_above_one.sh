#!/usr/bin/env bash
# confidenceinterval: intervals of F1 and AUROC reach beyond 1.
#
# Packages: confidenceinterval 1.0.5, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1, pandas 3.1.1.
# Expected (no guess was written down): intervals within 0 and 1; for a classifier without a
# mistake, of width 0 or one-sided below 1.
# Seen: macro F1 of a perfect answer from .62 to 1.38, AUROC of four scores from .06 to 1.44,
# while macro precision gets an interval of width 0.
#
#   confidenceinterval 1.0.5
#   macro F1 of 9 right answers: 1.000 [0.623, 1.377]
#   macro precision of the same: [1.000, 1.000]
#   AUROC of 4 scores: 0.750 [0.057, 1.443]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile confidenceinterval==1.0.5 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'END'
from importlib.metadata import version

from confidenceinterval import f1_score, precision_score, roc_auc_score

truth = [0, 0, 0, 1, 1, 1, 2, 2, 2]
f1, (low, high) = f1_score(truth, truth, average="macro")
print("confidenceinterval", version("confidenceinterval"))
print(f"macro F1 of 9 right answers: {f1:.3f} [{low:.3f}, {high:.3f}]")
_, precision = precision_score(truth, truth, average="macro")
print(f"macro precision of the same: [{precision[0]:.3f}, {precision[1]:.3f}]")
auroc, (bottom, top) = roc_auc_score([0, 1, 0, 1], [0.4, 0.3, 0.2, 0.6])
print(f"AUROC of 4 scores: {auroc:.3f} [{bottom:.3f}, {top:.3f}]")
assert low < 0.7 and high > 1.3
assert precision[0] == precision[1] == 1
assert top > 1.3
END
