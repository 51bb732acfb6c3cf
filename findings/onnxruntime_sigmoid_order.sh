#!/usr/bin/env bash
# ONNX Runtime: its sigmoid changes the order of small scores, and ends at 0.
#
# Packages: onnxruntime 1.32.0, onnx 1.23.2, numpy 2.4.6.
# Expected (no guess was written down): the float32 sigmoid to a rounding error: it never falls
# where the logit rises, and is above 0 down to a logit of about -100.
# Seen: 0 at a logit of -18 and below, and 8.9e-8 at -17 but 6.0e-8 at -16: an approximation with
# an absolute error of 1e-7, in which 3 of 10 small steps up step down.
#
#   onnxruntime 1.32.0
#   logit -20: 0, should be 2.06e-09
#   logit -19: 0, should be 5.6e-09
#   logit -18: 0, should be 1.52e-08
#   logit -17: 8.94e-08, should be 4.14e-08
#   logit -16: 5.96e-08, should be 1.13e-07
#   logit -15: 3.58e-07, should be 3.06e-07
#   logit -14: 7.75e-07, should be 8.32e-07
#   of 100,000 small steps up from -17 to -8, 29% step down
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

graph = helper.make_graph(
    [helper.make_node("Sigmoid", ["logit"], ["p"])],
    "sigmoid",
    [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["n"])],
    [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n"])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
session = onnxruntime.InferenceSession(
    model.SerializeToString(), providers=["CPUExecutionProvider"]
)
logit = np.arange(-20, -13, dtype=np.float32)
p = session.run(None, {"logit": logit})[0]
right = 1 / (1 + np.exp(-logit.astype(np.float64)))
print("onnxruntime", onnxruntime.__version__)
for row in zip(logit, p, right, strict=True):
    print("logit {:.0f}: {:.3g}, should be {:.3g}".format(*row))
fine = np.linspace(-17, -8, 100001, dtype=np.float32)
falls = (np.diff(session.run(None, {"logit": fine})[0]) < 0).mean()
print(f"of 100,000 small steps up from -17 to -8, {falls:.0%} step down")
assert p[0] == 0 and p[1] == 0
assert (np.diff(p) < 0).any()
assert falls > 0.02
END
