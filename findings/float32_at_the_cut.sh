#!/usr/bin/env bash
# A float32 score of .7 against a threshold of .7: half of the tools say it is below.
#
# Packages: polars 2.1.0, duckdb 2.0.1, pandas 3.1.1, pyarrow 26.0.1, numpy 2.4.6.
# Guess, before running: one answer from numpy, whatever the kind of the threshold, and the same
# from all tools on tables.
# Seen: float32 .7 is a little below .7. numpy turns a Python number to float32 first and a
# np.float64 not; Polars does as with Python's number, pyarrow compares in float64; DuckDB does
# either.
#
#   numpy 2.4.6 pandas 3.1.1 polars 2.1.0
#   pyarrow 26.0.1 duckdb 2.0.1
#   numpy, Python's .7: True
#   numpy, np.float64(.7): False
#   pandas: True
#   polars: True
#   pyarrow: False
#   duckdb, 0.7 in the query: True
#   duckdb, a parameter: False
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

score = np.array([0.7], dtype=np.float32)
arrow = pa.table({"p": score})
positive = {
    "numpy, Python's .7": bool((score >= 0.7)[0]),
    "numpy, np.float64(.7)": bool((score >= np.float64(0.7))[0]),
    "pandas": bool((pd.Series(score) >= 0.7)[0]),
    "polars": (pl.Series(score) >= 0.7)[0],
    "pyarrow": pc.greater_equal(arrow["p"], 0.7)[0].as_py(),
    "duckdb, 0.7 in the query": duckdb.sql("select p >= 0.7 from arrow").fetchall()[0][0],
    "duckdb, a parameter": duckdb.execute("select p >= $1 from arrow", [0.7]).fetchall()[0][0],
}
print("numpy", np.__version__, "pandas", pd.__version__, "polars", pl.__version__)
print("pyarrow", pa.__version__, "duckdb", duckdb.__version__)
for name, answer in positive.items():
    print(f"{name}: {answer}")
assert list(positive.values()) == [True, False, True, True, False, True, False]
END
