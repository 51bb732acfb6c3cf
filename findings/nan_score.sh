#!/usr/bin/env bash
# Polars and DuckDB: a score that is nan lies above every threshold.
#
# Packages: polars 2.1.0, duckdb 2.0.1, pandas 3.1.1, pyarrow 26.0.1, numpy 2.4.6.
# Guess, before running: nan >= .5 is false, as in numpy, pandas and pyarrow.
# Seen: Polars and DuckDB order nan above every number, in comparisons too: the row is positive.
#
#   polars 2.1.0 duckdb 2.0.1
#   numpy: [False, True, False]
#   pandas: [False, True, False]
#   pyarrow: [False, True, False]
#   polars: [False, True, True]
#   duckdb: [False, True, True]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile polars==2.1.0 duckdb==2.0.1 pandas==3.1.1 pyarrow==26.0.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

scores = [0.1, 0.9, float("nan")]
arrow = pa.table({"p": scores})
positive = {
    "numpy": (np.array(scores) >= 0.5).tolist(),
    "pandas": (pd.Series(scores) >= 0.5).tolist(),
    "pyarrow": pc.greater_equal(arrow["p"], 0.5).to_pylist(),
    "polars": (pl.Series(scores) >= 0.5).to_list(),
    "duckdb": [row[0] for row in duckdb.sql("select p >= 0.5 from arrow").fetchall()],
}
print("polars", pl.__version__, "duckdb", duckdb.__version__)
for name, answer in positive.items():
    print(f"{name}: {answer}")
assert not any(positive[name][2] for name in ("numpy", "pandas", "pyarrow"))
assert positive["polars"][2] and positive["duckdb"][2]
END
