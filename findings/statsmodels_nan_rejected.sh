#!/usr/bin/env bash
# statsmodels: multipletests rejects a hypothesis whose p-value is nan.
#
# Packages: statsmodels 0.15.0, numpy 2.4.6, scipy 1.17.1, pandas 3.1.1.
# Expected: nan stays nan and is not rejected, or the call is refused.
# Seen: Bonferroni does not reject nan; the step-down methods, holm-sidak (the default) among them,
# do.
#
#   statsmodels 0.15.0
#   bonferroni: rejected [True, False, False], corrected [0.03, 0.06, nan]
#   holm: rejected [True, True, True], corrected [0.03, 0.04, nan]
#   holm-sidak: rejected [True, True, True], corrected [0.03, 0.04, nan]
#   fdr_bh: rejected [True, True, False], corrected [nan, nan, nan]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'END'
from importlib.metadata import version

import numpy as np
from statsmodels.stats.multitest import multipletests

print("statsmodels", version("statsmodels"))
found = {}
for method in ("bonferroni", "holm", "holm-sidak", "fdr_bh"):
    reject, corrected = multipletests([0.01, 0.02, np.nan], method=method)[:2]
    found[method] = reject.tolist()
    print(f"{method}: rejected {reject.tolist()}, corrected {corrected.round(3).tolist()}")
assert not found["bonferroni"][2]
assert found["holm"] == found["holm-sidak"] == [True, True, True]
END
