#!/usr/bin/env bash
# datasets: a cast to ClassLabel keeps a class that has no name.
#
# Packages: datasets 5.2.0, pyarrow 26.0.1, numpy 2.4.6, pandas 3.1.1.
# Guess, before running: a cast of 0, 1, 3 to two class names is refused, on the spot.
# Seen: the cast keeps 3, without an error; from_dict with the same features refuses it, and
# int2str fails later.
#
#   datasets 5.2.0
#   cast_column: [0, 1, 3, -1] ['ham', 'spam']
#   from_dict with features: ValueError: Class label 3 greater than configured num_classes 2
#   int2str(3): ValueError: Invalid integer class label 3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile datasets==5.2.0 pyarrow==26.0.1 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" - <<'END'
import os

os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
import datasets
from datasets import ClassLabel, Dataset, Features

two = ClassLabel(names=["ham", "spam"])
cast = Dataset.from_dict({"label": [0, 1, 3, -1]}).cast_column("label", two)
print("datasets", datasets.__version__)
print("cast_column:", cast["label"][:], cast.features["label"].names)
answers = []
for attempt in (
    lambda: Dataset.from_dict({"label": [0, 1, 3]}, features=Features({"label": two})),
    lambda: cast.features["label"].int2str(3),
):
    try:
        attempt()
        answers.append("accepted")
    except ValueError as error:
        answers.append(f"ValueError: {error}")
print("from_dict with features:", answers[0])
print("int2str(3):", answers[1])
assert cast["label"][:] == [0, 1, 3, -1]
assert all(answer.startswith("ValueError") for answer in answers)
END
