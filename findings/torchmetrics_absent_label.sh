#!/usr/bin/env bash
# torchmetrics: a label that never occurs counts as an AUROC of 0.
#
# Packages: torch 2.13.0, torchmetrics 1.9.0, numpy 2.4.6.
# Expected (no guess was written down): a label without positives is left out of the mean, or the
# mean is nan, as for its F1 over classes.
# Seen: 0.0, and it counts in the mean. Macro F1 leaves an absent class out, but counts an absent
# label as 0.
#
#   torchmetrics 1.9.0
#   AUROC of each label [0.0, 1.0], mean 0.5; label 0 has no positive
#   macro F1 of perfect answers: 1.0 over classes, 0.667 over labels
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile torch==2.13.0 torchmetrics==1.9.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import warnings

import torch
import torchmetrics
from torchmetrics.functional.classification import (
    multiclass_f1_score,
    multilabel_auroc,
    multilabel_f1_score,
)

warnings.simplefilter("ignore")
score = torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.2, 0.9], [0.4, 0.1]])
truth = torch.tensor([[0, 0], [0, 1], [0, 1], [0, 0]])
each = multilabel_auroc(score, truth, num_labels=2, average=None).tolist()
mean = multilabel_auroc(score, truth, num_labels=2, average="macro").item()
print("torchmetrics", torchmetrics.__version__)
print(f"AUROC of each label {each}, mean {mean}; label 0 has no positive")
right = torch.tensor([0, 1, 0, 1])
one_hot = torch.nn.functional.one_hot(right, 3)
classes = multiclass_f1_score(right, right, num_classes=3, average="macro").item()
labels = multilabel_f1_score(one_hot, one_hot, num_labels=3, average="macro").item()
print(f"macro F1 of perfect answers: {classes} over classes, {labels:.3f} over labels")
assert each == [0.0, 1.0] and mean == 0.5
assert classes == 1.0 and abs(labels - 2 / 3) < 1e-6
END
