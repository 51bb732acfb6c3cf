#!/usr/bin/env bash
# MAPIE: where no threshold holds the precision, no row gets a label.
#
# Packages: mapie 1.6.0, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1.
# Guess, before running: predict raises when calibration found no threshold, as MAPIE's own two-
# class controller does.
# Seen: a warning at calibration, a threshold of nan, and then predict gives no row any label,
# without a word; the two-class controller raises.
#
#   mapie 1.6.0
#   many labels: threshold [nan] labels given 0
#   warnings at calibrate: {'UserWarning'} at predict: 0
#   two classes: ValueError: Cannot predict. Either you forgot to calibrate the controller first, or calibration was not successful.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile mapie==1.6.0 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import warnings
from importlib.metadata import version

import numpy as np
from mapie.risk_control import BinaryClassificationController, MultiLabelClassificationController

rng = np.random.default_rng(0)
p = rng.random((400, 4))
y = (rng.random((400, 4)) < p).astype(int)
y[np.arange(400), p.argmax(1)] = 1  # MAPIE asks for a label in each row
hard = p[:, ::-1]
print("mapie", version("mapie"))
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    many = MultiLabelClassificationController(
        lambda x: x, risk="precision", method="ltt", target_level=0.95, confidence_level=0.9
    ).calibrate(hard, y)
    told = {w.category.__name__ for w in seen}
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    labels = many.predict(hard)
    later = len(seen)
print("many labels: threshold", many.best_predict_param, "labels given", int(labels.sum()))
print("warnings at calibrate:", told, "at predict:", later)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    two = BinaryClassificationController(
        lambda x: np.c_[1 - x[:, 0], x[:, 0]], "precision", target_level=0.95
    ).calibrate(hard[:, :1], y[:, 0])
try:
    two.predict(hard[:, :1])
    answer = "decided"
except ValueError as error:
    answer = f"ValueError: {error}"
print("two classes:", answer)
assert np.isnan(many.best_predict_param).all() and labels.sum() == 0 and later == 0
assert answer.startswith("ValueError")
END
