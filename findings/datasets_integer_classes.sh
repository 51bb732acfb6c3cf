#!/usr/bin/env bash
# datasets: class_encode_column renumbers integer classes by their spelling.
#
# Packages: datasets 5.2.0, pyarrow 26.0.1, numpy 2.4.6, pandas 3.1.1.
# Expected (no guess was written down): integer classes keep their order: class k of 0 to 10 stays
# k.
# Seen: integers are turned to strings first and sorted as such: 10 becomes class 2, and 2 becomes
# 3.
#
#   datasets 5.2.0
#   names ['0', '1', '10', '2', '3', '4', '5', '6', '7', '8', '9']
#   before [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] after [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 2]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile datasets==5.2.0 pyarrow==26.0.1 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" - <<'END'
import os

os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
import datasets
from datasets import Dataset

before = Dataset.from_dict({"intent": list(range(11))})
after = before.class_encode_column("intent")
print("datasets", datasets.__version__)
print("names", after.features["intent"].names)
print("before", before["intent"][:], "after", after["intent"][:])
assert after["intent"][:] == [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 2]
END
