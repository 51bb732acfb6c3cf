#!/usr/bin/env bash
# top_k_accuracy_score: the range of two-class scores decides where they are cut.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Expected (no guess was written down): with two classes, scores are cut at 0 when they are
# logits; adding a row changes the others' answers by nothing.
# Seen: scores that all lie from 0 to 1 are cut at .5, others at 0. One more row, with a logit of
# -.4, makes two wrong answers of the rows before it right, and a right one wrong.
#
#   scikit-learn 1.9.1
#   right of 4: 2.0; with one more row, which is right: 4.0 of 5
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import sklearn
from sklearn.metrics import top_k_accuracy_score

truth = [1, 1, 1, 0]
logits = [0.2, 0.3, 0.6, 0.1]
alone = top_k_accuracy_score(truth, logits, k=1, normalize=False)
with_one_more = top_k_accuracy_score([*truth, 0], [*logits, -0.4], k=1, normalize=False)
print("scikit-learn", sklearn.__version__)
print(f"right of 4: {alone}; with one more row, which is right: {with_one_more} of 5")
assert alone == 2  # cut at .5: the last two are right
assert with_one_more == 4  # cut at 0: the first three are right, and the new one
END
