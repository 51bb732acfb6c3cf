#!/usr/bin/env python3
"""Set up and run everything. Needs Python alone.

python3 run.py         execute every lesson into build/, with an index to open in a browser
python3 run.py test    run all tests
python3 run.py lab     open JupyterLab on the lessons
python3 run.py bundle  write a folder that sets up without a network (--help says more)
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "installed.sha256"
WHEELS = ROOT / "wheels"  # a bundle has all packages here
CHECKSUMS = WHEELS / "checksums.json"
OLDEST, NEWEST = (3, 11), (3, 13)
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
GIGABYTE = 10**9
OFFLINE = {"HF_HUB_OFFLINE": "1"}  # the lessons' default profile needs no network
# What pip prints, and what to do about it.
REMEDIES = (
    ("No space left", "The disk is full: free about 6 GB and run this again."),
    ("Temporary failure in name resolution", "No network: connect, then run this again."),
    ("Failed to establish a new connection", "No network: connect, then run this again."),
    ("NewConnectionError", "No network: connect, then run this again."),
    (
        "No matching distribution",
        "The package index does not have all packages (see above): check "
        "the network and pip's configuration, then run this again.",
    ),
)


def stop(sentence):
    """End with one sentence that says what to do."""
    raise SystemExit(f"run.py: {sentence}")


def say(text):
    """Print at once, also into a pipe."""
    print(text, flush=True)


def check_machine():
    """Stop where the lessons cannot be set up, and say what to do."""
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        stop(
            f"this is Python {version[0]}.{version[1]}; the tested packages need "
            f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}. Install one of these and start "
            f"this with it, for example: python3.12 run.py"
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop(
            "Python's venv module is missing. On Debian or Ubuntu: "
            f"sudo apt install python{version[0]}.{version[1]}-venv"
        )
    if not STAMP.exists() and (free := shutil.disk_usage(ROOT).free) < 4 * GIGABYTE:
        stop(f"{free / GIGABYTE:.1f} GB are free here; the set-up needs 4 GB. Free some space.")


def fingerprint():
    """Name the state of the files that decide what is installed."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def torch_options():
    """Choose where PyTorch comes from: its CPU build where no NVIDIA driver is found."""
    if platform.system() != "Linux" or shutil.which("nvidia-smi") or Path("/dev/nvidia0").exists():
        return []
    return cpu_index()


def cpu_index():
    """Give pip's options for PyTorch's CPU build for Linux, if its index answers."""
    try:
        urllib.request.urlopen(f"{TORCH_CPU_INDEX}/torch/", timeout=3).close()
    except OSError:
        say(
            "PyTorch's CPU index does not answer: taking PyTorch from pip's own configuration. "
            "If that is the general build, the download is about 0.5 GB plus 2 GB of CUDA packages."
        )
        return []
    return ["--extra-index-url", TORCH_CPU_INDEX]


def run_with_progress(command, what):
    """Run a command; show in one line what it is at, and the end of its output if it fails."""
    terminal = sys.stdout.isatty()
    started, shown, lines = time.time(), 0.0, []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout:
            lines.append(line.rstrip())
            seconds = time.time() - started
            if seconds - shown >= (0.2 if terminal else 20):
                shown = seconds
                text = f"{what}: {seconds:4.0f} s, {line.strip()}"[:78]
                print(
                    f"\r{text:<78}" if terminal else text, end="" if terminal else "\n", flush=True
                )
    end = f"{what}: {time.time() - started:.0f} s"
    say(f"\r{end:<78}" if terminal else end)
    if process.returncode:
        say("\n".join(lines[-25:]))
        output = "\n".join(lines)
        for symptom, remedy in REMEDIES:
            if symptom in output:
                stop(remedy)
        stop(f"{what} failed (see above).")


def usable_venv():
    """Tell whether .venv is whole and of this Python."""
    probe = "import sys, pip; print(sys.version)"
    try:
        found = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True)
    except OSError:
        return False
    return found.returncode == 0 and found.stdout.strip() == sys.version


def finds_package():
    """Tell whether .venv takes the helpers of this folder, from wherever it is started."""
    probe = "import helpers; print(helpers.__file__)"
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [str(PYTHON), "-P", "-c", probe], capture_output=True, text=True, env=settings
    )
    return found.stdout.strip() == str(ROOT / "helpers" / "__init__.py")


def mend(old):
    """Write this folder's place into the files of .venv that name its old one.

    These are the scripts, and what tells Python where the package is. No network is needed.
    """
    places = {}
    for name in (lambda p: p.as_uri(), str, lambda p: repr(str(p))[1:-1]):
        places.setdefault(name(old), name(ROOT))
    pattern = re.compile("(" + "|".join(map(re.escape, places)) + r")(?=[/\\'\"\s]|$)")
    found = [VENV / "pyvenv.cfg", *BIN.iterdir(), *VENV.rglob("site-packages/__editable__*")]
    for path in [*found, *VENV.rglob("*.dist-info/direct_url.json")]:
        if path.is_symlink() or not path.is_file():
            continue
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:  # a program, no text
            continue
        if pattern.search(text):
            path.write_bytes(pattern.sub(lambda match: places[match[1]], text).encode())


def check_wheels():
    """Stop where a package of the bundle is missing or was damaged on its way."""
    bundle = json.loads(CHECKSUMS.read_text(encoding="utf-8"))
    here = "{}.{}".format(*sys.version_info[:2])
    if bundle["python"] != here:
        stop(f"this bundle is for Python {bundle['python']}, and this is {here}.")
    if bundle["platform"] != platform_name():
        stop(f"this bundle is for {bundle['platform']}, and this is {platform_name()}.")
    for name, expected in bundle["sha256"].items():
        path = WHEELS / name
        if not path.is_file() or sha256(path) != expected:
            stop(f"wheels/{name} is missing or damaged: copy the bundle again.")


def platform_name():
    """Name this machine as a bundle does, as linux-x86_64."""
    names = {"darwin": "macos", "amd64": "x86_64"}
    parts = (platform.system().lower(), platform.machine().lower())
    return "-".join(names.get(part, part) for part in parts)


def sha256(path):
    """Give the checksum of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sources():
    """Choose where packages come from: the bundle's wheels alone, or the package index."""
    if not CHECKSUMS.exists():
        return torch_options()
    say("setting up from the bundle: no network is needed")
    check_wheels()
    return ["--no-index", "--find-links", str(WHEELS)]


def set_up():
    """Make the environment, or reuse it if nothing that decides it has changed."""
    check_machine()
    stamp = [fingerprint(), str(ROOT)]
    installed = STAMP.read_text(encoding="utf-8").splitlines() if STAMP.exists() else []
    if installed == stamp:
        return
    usable = usable_venv()
    if usable and installed[:1] == stamp[:1]:
        if len(installed) == 2:  # before, the stamp did not name the place
            say(f"this folder was set up as {installed[1]}: mending .venv")
            mend(Path(installed[1]))
        if finds_package():
            STAMP.write_text("\n".join(stamp), encoding="utf-8")
            return
    if not usable:
        say("making .venv")
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(VENV, ignore_errors=True)
            stop("could not make .venv (see above): is Python's venv complete, the disk not full?")
    run_with_progress(
        [
            str(PYTHON),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
            "--editable",
            ".[offline,serve,dev]",
            "--constraint",
            "constraints.txt",
            *sources(),
        ],
        "installing",
    )
    STAMP.write_text("\n".join(stamp), encoding="utf-8")


def environment(**extra):
    """Give the settings that every run wants."""
    return {
        # threads that wait spin for a moment only: longer, they burn the cores that others need
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "1000",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUTF8": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        **extra,
    }


def test():
    """Run every check; go on after a failure, and report all."""
    failed = []

    def step(name, *command, **extra):
        say(f"\n== {name}")
        started = time.time()
        settings = environment(**OFFLINE, **extra)
        code = subprocess.run([str(PYTHON), "-m", *command], cwd=ROOT, env=settings)
        say(
            f"== {name}: {'passed' if code.returncode == 0 else 'FAILED'}, "
            f"{time.time() - started:.0f} s"
        )
        if code.returncode:
            failed.append(name)

    def lessons(name, folder, **extra):
        files = sorted(str(p.relative_to(ROOT)) for p in (ROOT / folder).glob("*.ipynb"))
        step(
            name,
            "pytest",
            "--nbmake",
            "--nbmake-timeout=900",
            "--durations=0",
            "-p",
            "no:cacheprovider",
            "-p",
            "tools.quiet_pages",
            *files,
            **extra,
        )

    step("style", "ruff", "check", ".")
    step("format", "ruff", "format", "--check", ".")
    step("types", "mypy")
    step("notebooks are built", "tools.build_notebooks", "--check")
    step("unit tests and doctests", "pytest", "-n", "2", "-m", "not clock", OMP_NUM_THREADS="1")
    step("tests that measure time, alone", "pytest", "-m", "clock", "tests")
    with tempfile.TemporaryDirectory() as cache:
        cold = {"LOGITS_TO_DECISIONS_CACHE": cache}
        lessons("learner notebooks, cold cache", "notebooks", **cold)
        lessons(
            "solution notebooks, warm cache", "notebooks/solutions", EXERCISES_STRICT="1", **cold
        )
    if failed:
        stop(f"failed: {', '.join(failed)}")
    say("\nall checks passed")


def main():
    """Read the command and run it."""
    sys.stdout.reconfigure(errors="replace")  # a console may lack a character that pip prints
    command, *more = sys.argv[1:] or ["lessons"]
    if command not in ("lessons", "test", "lab", "bundle") or (more and command != "bundle"):
        stop(f"unknown command {' '.join(sys.argv[1:])!r}.\n{__doc__}")
    set_up()
    if command == "test":
        test()
        return
    arguments = {
        "lessons": ["-m", "tools.execute_lessons"],
        "lab": ["-m", "jupyterlab", "notebooks"],
        "bundle": ["-m", "tools.bundle", *more],
    }[command]
    settings = environment(**(OFFLINE if command == "lessons" else {}))
    try:
        code = subprocess.run([str(PYTHON), *arguments], cwd=ROOT, env=settings).returncode
    except KeyboardInterrupt:
        stop("stopped.")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
