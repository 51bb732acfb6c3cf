#!/usr/bin/env bash
# river: a class that the classifier never heard of costs nothing in CrossEntropy.
#
# Packages: river 0.26.1.
# Expected (no guess was written down): the probability of a class missing from the prediction is
# 0: its loss is very large, as in LogLoss.
# Seen: no loss is added, but the message is counted: the mean halves. LogLoss of two classes
# charges 34.5 in the same case.
#
#   river 0.26.1
#   CrossEntropy of one right answer 0.1054
#   after a phishing message, to which it gave no probability, 0.0527
#   LogLoss where the true class is missing 34.5
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile river==0.26.1
"$folder/venv/bin/python" - <<'END'
from importlib.metadata import version

from river import metrics

told = {"ham": 0.9, "spam": 0.1}
right, unseen = metrics.CrossEntropy(), metrics.CrossEntropy()
right.update("ham", told)
for truth in ("ham", "phishing"):
    unseen.update(truth, told)
print("river", version("river"))
print(f"CrossEntropy of one right answer {right.get():.4f}")
print(f"after a phishing message, to which it gave no probability, {unseen.get():.4f}")
two = metrics.LogLoss()
two.update(True, {False: 1.0})
print(f"LogLoss where the true class is missing {two.get():.1f}")
assert abs(unseen.get() - right.get() / 2) < 1e-9
assert two.get() > 30
END
