#!/usr/bin/env bash
# skl2onnx: isotonic calibration becomes a staircase.
#
# Packages: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1, skl2onnx 1.20.0, onnx 1.23.2,
# onnxruntime 1.32.0.
# Expected (no guess was written down): the graph interpolates between the isotonic points as
# scikit-learn does, to float32 precision.
# Seen: scikit-learn interpolates between the isotonic points, the graph takes steps:
# probabilities differ by up to .09. Sigmoid calibration is exact.
#
#   sigmoid: largest difference 8.5e-08, values 601 and 601
#   isotonic: largest difference 0.092, values 29 and 12
#   scikit-learn 1.9.1 skl2onnx 1.20.0
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
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(0)
x = rng.normal(size=(400, 1)).astype(np.float32)
y = (x[:, 0] + rng.normal(size=400) > 1).astype(int)
worst = {}
for method in ("sigmoid", "isotonic"):
    model = CalibratedClassifierCV(
        LogisticRegression(), method=method, cv=2, ensemble=False
    ).fit(x, y)
    graph = to_onnx(model, x[:1], options={"zipmap": False})
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    even = np.linspace(-3, 3, 601, dtype=np.float32)[:, None]
    got = session.run(None, {"X": even})[1][:, 1]
    own = model.predict_proba(even)[:, 1]
    worst[method] = np.abs(got - own).max()
    values = [len(np.unique(p.round(6))) for p in (own, got)]
    print(f"{method}: largest difference {worst[method]:.2g}, values {values[0]} and {values[1]}")
print("scikit-learn", sklearn.__version__, "skl2onnx", skl2onnx.__version__)
assert worst["sigmoid"] < 1e-5
assert worst["isotonic"] > 0.01
END
