#!/usr/bin/env bash
# CatBoost: ONNX labels, clones and metrics forget the probability threshold.
#
# Packages: catboost 1.2.10, onnxruntime 1.32.0, onnx 1.23.2, scikit-learn 1.9.1, numpy 2.4.6,
# pandas 3.1.1, scipy 1.17.1.
# Guess, before running: where set_probability_threshold is honoured by predict it is honoured
# everywhere, or ONNX refuses it.
# Seen: predict, score and saved models obey the threshold; the label of the ONNX graph, a clone
# and eval_metrics go by .5.
#
#   catboost 1.2.10
#   positive of 500: {'predict': 197, 'predict, loaded': 197, 'ONNX label': 88}
#   threshold of a clone 0.5; score 0.802, eval_metrics 0.868
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile catboost==1.2.10 onnxruntime==1.32.0 onnx==1.23.2 scikit-learn==1.9.1 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$folder/venv/bin/python" - <<'END'
import tempfile
from pathlib import Path

import catboost
import numpy as np
import onnxruntime
from catboost import CatBoostClassifier, Pool
from sklearn.base import clone

rng = np.random.default_rng(0)
x = rng.normal(size=(500, 4)).astype(np.float32)
y = (x[:, 0] + rng.normal(size=500) > 1).astype(int)
model = CatBoostClassifier(iterations=30, verbose=0, thread_count=2, allow_writing_files=False)
model.fit(x, y).set_probability_threshold(0.2)
positive = {"predict": int(model.predict(x).sum())}
with tempfile.TemporaryDirectory() as folder:
    own, graph = Path(folder, "model.cbm"), Path(folder, "model.onnx")
    model.save_model(own)
    positive["predict, loaded"] = int(CatBoostClassifier().load_model(own).predict(x).sum())
    model.save_model(graph, format="onnx")
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    positive["ONNX label"] = int(session.run(["label"], {session.get_inputs()[0].name: x})[0].sum())
print("catboost", catboost.__version__)
print("positive of 500:", positive)
threshold = clone(model).fit(x, y).get_probability_threshold()
accuracy = model.eval_metrics(Pool(x, y), ["Accuracy"], ntree_start=29)["Accuracy"][-1]
print(f"threshold of a clone {threshold}; score {model.score(x, y):.3f}, eval_metrics {accuracy:.3f}")
assert positive["predict"] == positive["predict, loaded"] > positive["ONNX label"]
assert positive["ONNX label"] == (model.predict_proba(x)[:, 1] > 0.5).sum()
assert threshold == 0.5 and abs(model.score(x, y) - accuracy) > 0.01
END
