"""Run the lessons with data and networks of the Hub, from the tests' Hub on loopback.

python -m tools.check_hub                 every profile of lessons 01 to 03
python -m tools.check_hub 03:hub-law      one of them

The networks there are random, so figures mean nothing: what is checked is that every cell runs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PROFILES = {
    "01": ("hub", "hub-spam"),
    "02": ("hub", "hub-second", "hub-english"),
    "03": ("hub", "hub-offensive", "hub-law"),
}


def main() -> None:
    """Run; exit 1 if a lesson fails."""
    from tests.hub_server import Hub
    from tests.hub_shelf import data_sets, networks

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = [f"{lesson}:{profile}" for lesson, those in PROFILES.items() for profile in those]
    parser.add_argument("rows", nargs="*", default=every, help="as 03:hub-law")
    failed = 0
    with Hub(networks() | data_sets()) as hub, tempfile.TemporaryDirectory() as scratch:
        os.environ |= {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": f"{scratch}/home",
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
            "LOGITS_TO_DECISIONS_CACHE": f"{scratch}/runs",
        }
        from tools.execute_lessons import ROOT, execute  # after the address is set

        for row in parser.parse_args().rows:
            number, _, profile = row.partition(":")
            (path,) = (ROOT / "notebooks/solutions").glob(f"{number}_*.ipynb")
            settings = {"PROFILE": profile}
            lesson = execute(path, settings=settings)
            failed += lesson.error is not None
            print(f"{row}: {lesson.seconds:.0f} s, {lesson.error or 'every cell ran'}", flush=True)
    sys.exit(int(failed > 0))


if __name__ == "__main__":
    main()
