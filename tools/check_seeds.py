"""Run lessons under several seeds; print pass or fail, and the range of each headline figure.

python -m tools.check_seeds 0-9                  all lessons, seeds 0 to 9, nothing kept
python -m tools.check_seeds 0-9 --lesson 01      one lesson
python -m tools.check_seeds 0 --dtype fp32       in a forced number format
python -m tools.check_seeds 0-9 --keep FOLDER    networks are kept there, and taken up again
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for python tools/check_seeds.py

from helpers.training import CACHE_VARIABLE
from tools.execute_lessons import ROOT, execute, summary


def seeds(text: str) -> list[int]:
    """Read ``3``, ``0-9`` or ``1,4,7``.

    Examples
    --------
    >>> seeds("0-2")
    [0, 1, 2]
    """
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def ranges(headlines: list[dict[str, Any]]) -> dict[str, str]:
    """Give least, middle and greatest value of each figure."""
    found = {}
    for name in headlines[0] if headlines else ():
        values = sorted(h[name] for h in headlines if isinstance(h.get(name), int | float))
        if values:
            middle = values[len(values) // 2]
            found[name] = f"{values[0]:.4g} … {middle:.4g} … {values[-1]:.4g}"
    return found


def main() -> None:
    """Run; exit 1 if a lesson fails under any seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=seeds, help="as 0-9")
    parser.add_argument("--lesson", default="", help="number, as 01; all by default")
    parser.add_argument("--dtype", default=None, choices=["bf16", "fp32"], help="number format")
    parser.add_argument("--keep", default=None, help="folder for networks; by default none")
    arguments = parser.parse_args()
    paths = sorted((ROOT / "notebooks/solutions").glob(f"{arguments.lesson}*.ipynb"))
    if not paths or not arguments.seeds:
        sys.exit("nothing to run: no such lesson, or no seeds in that range")
    failures = 0
    for path in paths:
        headlines = []
        for seed in arguments.seeds:
            settings: dict[str, Any] = {"SEED": seed}
            if arguments.dtype:
                settings["DTYPE"] = arguments.dtype
            with tempfile.TemporaryDirectory() as cache:
                os.environ[CACHE_VARIABLE] = arguments.keep or cache
                lesson = execute(Path(path), settings=settings)
            failures += lesson.error is not None
            headlines += [] if lesson.error else [lesson.headline]
            result = "FAILED" if lesson.error else summary(lesson.headline)
            print(f"{lesson.name} seed {seed}: {lesson.seconds:.0f} s; {result}", flush=True)
            if lesson.error:
                print(lesson.error, flush=True)
        print(f"{path.stem}: {len(headlines)} of {len(arguments.seeds)} seeds passed")
        for name, text in ranges(headlines).items():
            print(f"  {name}: {text}")
    if failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
