#!/usr/bin/env bash
# torchmetrics: the AUROC of large logits is .5, however well they rank.
#
# Packages: torch 2.13.0, torchmetrics 1.9.0, numpy 2.4.6.
# Expected (no guess was written down): AUROC depends on the order alone: logits, logits plus 20
# and their probabilities in float64 score the same.
# Seen: values outside 0 to 1 pass through a float32 sigmoid, which is 1.0 for every logit from
# about 17 up: all tie, and a perfect order gets .5.
#
#   torchmetrics 1.9.0
#   logits [-2.0, -1.0, 1.0, 2.0]: AUROC 1.0
#   logits [18.0, 19.0, 21.0, 22.0]: AUROC 0.5
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile torch==2.13.0 torchmetrics==1.9.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import torch
import torchmetrics
from torchmetrics.functional.classification import binary_auroc

truth = torch.tensor([0, 0, 1, 1])
print("torchmetrics", torchmetrics.__version__)
values = {}
for shift in (0.0, 20.0):
    logit = torch.tensor([-2.0, -1.0, 1.0, 2.0]) + shift
    values[shift] = binary_auroc(logit, truth).item()
    print(f"logits {logit.tolist()}: AUROC {values[shift]}")
assert values == {0.0: 1.0, 20.0: 0.5}
END
