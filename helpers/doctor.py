"""Look at a machine: is it ready for the lessons? What the command ``doctor`` prints."""

import os
import platform
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Literal

from helpers.downloads import switched_off

Status = Literal["ok", "warning", "problem"]
GIGABYTE = 10**9


def checks(*, quick: bool = False) -> Iterator[tuple[str, Status, str]]:
    """Look at this machine, one thing after another.

    Parameters
    ----------
    quick : bool, default False
        Leave the fine-tune out.

    Yields
    ------
    name, status, text : str
        Status is "ok", "warning" or "problem"; the text says what to do.
    """
    yield "python", *_python()
    for package in ("torch", "transformers", "datasets", "scikit-learn"):
        try:
            yield package, "ok", metadata.version(package)
        except metadata.PackageNotFoundError:
            yield package, "problem", "not installed: run python3 run.py"
            return
    yield "folder", *_folder()
    yield "jupyter", *_jupyter()
    yield "processor", *_processor()
    yield "memory", *_memory()
    free = shutil.disk_usage(Path.cwd()).free / GIGABYTE
    enough = free >= 2
    yield (
        "disk",
        "ok" if enough else "warning",
        f"{free:.1f} GB free here"
        + ("" if enough else ": free some, a saved network takes 0.1 GB and more"),
    )
    yield "hub", *_hub()
    yield "kept", *_kept()
    found = _checkpoint()
    yield "checkpoint", *found
    if found[0] == "ok" and not quick:
        yield "fine-tune", *_small_fine_tune()


def _python() -> tuple[Status, str]:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    advice = "" if fits else ": the tested versions are 3.11 to 3.13"
    return "ok" if fits else "warning", platform.python_version() + advice


def _folder() -> tuple[Status, str]:
    """Ask a Python that is started elsewhere, as a notebook's is, which helpers it takes."""
    probe = "import helpers; print(helpers.__file__)"
    found = subprocess.run([sys.executable, "-P", "-c", probe], capture_output=True, text=True)
    if found.returncode:
        return "problem", (
            "a notebook would not find helpers: the folder was moved or copied; run python3 run.py"
        )
    taken = Path(found.stdout.strip()).parent
    here = Path(__file__).parent
    if taken.resolve() != here.resolve():
        return "warning", f"a notebook would take {taken}, not {here}: run python3 run.py"
    return "ok", f"notebooks take {taken}"


def _jupyter() -> tuple[Status, str]:
    try:
        return "ok", f"JupyterLab {metadata.version('jupyterlab')}: python3 run.py lab opens it"
    except metadata.PackageNotFoundError:
        return "warning", "JupyterLab is not installed: python3 run.py installs it"


def _kept() -> tuple[Status, str]:
    from helpers.training import cache_folder

    folder = cache_folder()
    n = len(list(folder.glob("*/run.json")))
    return "ok", f"{n} finished fine-tunings in {folder}; a lesson takes up its own"


def _processor() -> tuple[Status, str]:
    import torch

    from helpers.prediction import fast_dtype, pick_device

    device, dtype = pick_device(), fast_dtype()
    text = f"{device.type}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, {dtype}"
    if device.type == "cpu" and dtype == "fp32":
        return "ok", f"{text}: no 16-bit arithmetic, so a lesson computes twice as long"
    return "ok", text


def _memory() -> tuple[Status, str]:
    import psutil

    free = psutil.virtual_memory().available / GIGABYTE
    advice = "" if free >= 3 else ": close other programs, a lesson takes about 2 GB"
    return "ok" if free >= 3 else "warning", f"{free:.1f} GB free{advice}"


def _hub(timeout: float = 3.0) -> tuple[Status, str]:
    if switched_off():
        return "ok", "not asked: HF_HUB_OFFLINE is set"
    found: list[str] = []

    def knock() -> None:
        try:
            socket.create_connection(("huggingface.co", 443), timeout=timeout).close()
            found.append("")
        except OSError as error:
            found.append(type(error).__name__)

    thread = threading.Thread(target=knock, daemon=True)  # a name server may take its time
    thread.start()
    thread.join(timeout)
    reason = found[0] if found else "no answer"
    if not reason:
        return "ok", "reachable"
    advice = "the offline profile needs none; set HF_HUB_OFFLINE=1 to spare the waiting"
    return "warning", f"not reachable ({reason}): {advice}"


def _checkpoint() -> tuple[Status, str]:
    from importlib.util import find_spec

    from helpers.prediction import INSTALL_OFFLINE, resolve_checkpoint
    from helpers.recipes import MINILM

    if MINILM.package and find_spec(MINILM.package) is None and _hub()[0] != "ok":
        return "problem", f"not here: {INSTALL_OFFLINE}"
    try:
        folder = resolve_checkpoint(MINILM)
    except ValueError as error:
        return "problem", str(error)
    return "ok", f"{MINILM.repository}, hashes as expected, in {folder}"


def _small_fine_tune() -> tuple[Status, str]:
    from helpers.messages import corpus_task
    from helpers.recipes import MINILM, Settings
    from helpers.training import fine_tune

    task = corpus_task("urgent").with_fewer(64)
    try:
        tuned = fine_tune(task, MINILM, Settings(epochs=1), cache=False, progress=False)
    except Exception as error:  # whatever it is, the line must say it
        return "problem", f"{type(error).__name__}: {error}"
    texts = len(task.train) + len(task.validation) / 3  # a forward pass is a third of a step
    rate = texts / tuned.seconds
    text = f"{rate:.0f} texts/s: lesson 01 trains for about {2 * 2700 / rate / 60:.1f} minutes"
    return ("ok" if rate >= 30 else "warning"), text
