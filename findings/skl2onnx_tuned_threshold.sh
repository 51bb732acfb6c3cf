#!/usr/bin/env bash
# skl2onnx: the graph of a classifier with a tuned threshold labels at .5.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1, skl2onnx 1.20.0, onnx 1.23.2,
# onnxruntime 1.32.0.
# Guess, before running: a TunedThresholdClassifierCV is either refused, or its labels obey the
# tuned threshold.
# Seen: the graph converts without a word and cuts at .5; the tuned threshold is lost.
#
#   scikit-learn 1.9.1 skl2onnx 1.20.0
#   tuned threshold 0.228
#   positive in scikit-learn 142, in the graph 50 of 400
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0
"$folder/venv/bin/python" - <<'END'
import numpy as np
import onnxruntime
import skl2onnx
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV
from skl2onnx import to_onnx

rng = np.random.default_rng(0)
x = rng.normal(size=(400, 4)).astype(np.float32)
y = (x[:, 0] + rng.normal(size=400) > 1).astype(int)
model = TunedThresholdClassifierCV(LogisticRegression(), scoring="f1").fit(x, y)
graph = to_onnx(model, x[:1], options={"zipmap": False})
session = onnxruntime.InferenceSession(
    graph.SerializeToString(), providers=["CPUExecutionProvider"]
)
label, probabilities = session.run(None, {"X": x})
own = model.predict(x)
print("scikit-learn", sklearn.__version__, "skl2onnx", skl2onnx.__version__)
print(f"tuned threshold {model.best_threshold_:.3f}")
print(f"positive in scikit-learn {own.sum()}, in the graph {label.sum()} of {len(y)}")
assert np.allclose(probabilities, model.predict_proba(x), atol=1e-5)
assert model.best_threshold_ < 0.4
assert (label == (probabilities[:, 1] > 0.5)).all()
assert own.sum() > label.sum()
END
