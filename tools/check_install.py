"""Install the wheel into an environment of its own, and run lessons there, each alone in a folder.

python -m tools.check_install                             the newest versions of everything
python -m tools.check_install --versions constraints.txt  the pinned ones
python -m tools.check_install --versions pip-freeze.txt --colab
                                                          Colab's list; the install cell runs
Neither this folder nor the user's own settings can be seen from there: HOME is empty.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IN_COLAB = """
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec

sys.modules["google.colab"] = module_from_spec(ModuleSpec("google.colab", None))
"""
EXECUTE = """
import json, sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=1800, kernel_name="python3").execute()
said = [
    line
    for cell in notebook.cells
    for output in cell.get("outputs", [])
    if output.get("name") == "stderr"
    for line in output["text"].splitlines()
    if line.strip()
]
print(json.dumps(said))
"""


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy without leftovers of earlier builds."""
    copy = folder / "source"
    copy.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "helpers", copy / "helpers", ignore=ignored)
    _run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(copy)])
    return next(folder.glob("*.whl"))


def make_environment(
    folder: Path, wheel: Path, python: str, versions: Path | None, colab: bool
) -> Path:
    """Make the environment; give its Python."""
    _run([python, "-m", "venv", str(folder)])
    inside = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [str(inside), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    limits: list[str] = []
    if versions is not None:
        pins = folder.with_suffix(".txt")
        pins.write_text(exact_pins(versions.read_text(encoding="utf-8")), encoding="utf-8")
        limits = ["-c", str(pins)]
    if colab:  # what a lesson needs is there before the wheel comes; the checkpoint is not Colab's
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        _run([*pip, *project["dependencies"], "fastapi", "uvicorn", "requests", *limits])
        _run([*pip, "sentence-transformers", "nbclient", "ipykernel", *limits])
        _run([*pip, *project["optional-dependencies"]["offline"], *limits])
        return inside
    wanted = f"logits-to-decisions[offline,serve] @ {wheel.as_uri()}"
    _run([*pip, wanted, "nbclient", "ipykernel", *limits])
    return inside


def exact_pins(text: str) -> str:
    r"""Take the exact versions out of a list that pip wrote; of PyTorch's address its version.

    Not those of CUDA: they fit another build of PyTorch than pip takes.

    Examples
    --------
    >>> print(exact_pins("a==1\nnvidia-a==2\ntorch @ https://y/torch-2.11.0%2Bcpu-z.whl"))
    a==1
    torch==2.11.0
    <BLANKLINE>
    """
    exact = r"(?!cuda|nvidia)[\w.-]+==[\w.+!-]+"
    lines = [line for line in text.splitlines() if re.fullmatch(exact, line)]
    if found := re.search(r"^torch @ .*/torch-([0-9.]+)", text, re.MULTILINE):
        lines.append(f"torch=={found[1]}")
    return "\n".join(lines) + "\n"


def run_lesson(inside: Path, lesson: Path, wheel: Path, folder: Path, colab: bool) -> list[str]:
    """Execute one notebook alone in an empty folder; give what it wrote to stderr."""
    place, home = folder / "work", folder / "home"
    place.mkdir(parents=True)
    home.mkdir()
    shutil.copy(lesson, place)
    if colab:
        shutil.copy(wheel, place)  # as one uploads it
        startup = home / ".ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "colab.py").write_text(IN_COLAB, encoding="utf-8")
    kept = ("LANG", "SYSTEMROOT", "TEMP", "TMP", "OMP_WAIT_POLICY", "OMP_NUM_THREADS")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment |= {
        "PATH": f"{inside.parent}{os.pathsep}{os.defpath}",
        "HOME": str(home),
        "HF_HUB_OFFLINE": "1",
    }
    command = [str(inside), "-c", EXECUTE, lesson.name]
    done = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        sys.exit(f"{lesson.stem} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _run(command: list[str]) -> None:
    """Run a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{' '.join(command[:6])} ... failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def main() -> None:
    """Check; exit 1 at the first thing that fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lesson", default="01", help="number; several with commas; all")
    parser.add_argument("--python", default=sys.executable, help="that makes the environment")
    parser.add_argument("--versions", type=Path, help="a list of exact versions")
    parser.add_argument("--colab", action="store_true", help="pretend to be in Google Colab")
    asked = parser.parse_args()
    if asked.colab and asked.versions is None:
        parser.error("--colab needs --versions: Colab's own list, pip-freeze.txt")
    wanted = ("0",) if asked.lesson == "all" else tuple(asked.lesson.split(","))
    lessons = [p for p in sorted((ROOT / "notebooks").glob("*.ipynb")) if p.stem.startswith(wanted)]
    if not lessons:
        parser.error(f"there is no lesson {asked.lesson}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wheel = build_wheel(folder / "wheel")
        versions = asked.versions.resolve() if asked.versions else None
        inside = make_environment(folder / "env", wheel, asked.python, versions, asked.colab)
        print(f"installed {wheel.name}", flush=True)
        for lesson in lessons:
            started = time.time()
            said = run_lesson(inside, lesson, wheel, folder / lesson.stem, asked.colab)
            print(f"{lesson.stem}: {time.time() - started:.0f} s, {len(said)} lines on stderr")
            print("".join(f"  {line[:200]}\n" for line in said[:10]), end="", flush=True)


if __name__ == "__main__":
    main()
