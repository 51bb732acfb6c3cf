#!/usr/bin/env bash
# skl2onnx: many labels from margins are cut at .5, not at 0.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1, skl2onnx 1.20.0, onnx 1.23.2,
# onnxruntime 1.32.0.
# Guess, before running: OneVsRestClassifier(LinearSVC()) labels each margin above 0, in scikit-
# learn and in the graph.
# Seen: scikit-learn labels margins above 0, the graph margins above .5; most labels are lost. The
# margins themselves are right, under the name `probabilities`.
#
#   scikit-learn 1.9.1 skl2onnx 1.20.0
#   second output: probabilities, from -3.00 to 1.08
#   labels given in scikit-learn 156, in the graph 22 of 1200
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
from skl2onnx import to_onnx
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

rng = np.random.default_rng(0)
x = rng.normal(size=(400, 4)).astype(np.float32)
y = (x[:, :3] + rng.normal(size=(400, 3)) > 1).astype(int)
model = OneVsRestClassifier(LinearSVC()).fit(x, y)
graph = to_onnx(model, x[:1], options={"zipmap": False})
session = onnxruntime.InferenceSession(
    graph.SerializeToString(), providers=["CPUExecutionProvider"]
)
label, scores = session.run(None, {"X": x})
own = model.predict(x)
print("scikit-learn", sklearn.__version__, "skl2onnx", skl2onnx.__version__)
print(f"second output: {session.get_outputs()[1].name}, from {scores.min():.2f} to {scores.max():.2f}")
print(f"labels given in scikit-learn {own.sum()}, in the graph {label.sum()} of {own.size}")
assert np.allclose(scores, model.decision_function(x), atol=1e-4)
assert (own == (model.decision_function(x) > 0)).all()
assert (label == (scores > 0.5)).all()
assert own.sum() > label.sum()
END
