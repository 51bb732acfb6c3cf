"""What a training that was stopped leaves: its state after an epoch, to go on from."""

from __future__ import annotations

import json
import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from helpers.files import write_whole
from helpers.portable.pipeline import file_hash

logger = logging.getLogger(__name__)
SEAL, BEST = "sealed.json", "best.pt"
KEPT = 30 * 24 * 3600.0  # seconds that a state waits for somebody to go on from it
EVERY = 30.0  # seconds of training between two states: an epoch that is shorter shares one


@dataclass(frozen=True, eq=False)
class Unfinished:
    """The state of a training after one of its epochs.

    Attributes
    ----------
    folder : Path
        What the Trainer resumes from.
    history : list of dict
        One an epoch so far, see `helpers.training.FineTuned`.
    best : dict of str to Tensor, or None
        The weights of the best epoch so far, where they are held.
    """

    folder: Path
    history: list[dict[str, float]]
    best: dict[str, torch.Tensor] | None


def seal(folder: Path, history: list[dict[str, float]], best: dict[str, Any] | None) -> None:
    """Complete a state that the Trainer wrote, mark it as whole, and remove those before it.

    Parameters
    ----------
    folder : Path
        A folder ``checkpoint-N`` of the Trainer.
    history : list of dict
    best : dict of str to Tensor, or None

    Notes
    -----
    The seal is written last and holds a hash of each file: a state is whole or none.
    """
    if best is not None:
        torch.save(best, folder / BEST)
    files = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
    write_whole(folder / SEAL, json.dumps({"history": history, "files": files}))
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def find(place: Path) -> Unfinished | None:
    """Find the state that a stopped training left.

    Parameters
    ----------
    place : Path
        The folder that it wrote in; there may be none.

    Returns
    -------
    Unfinished or None
        None where no state was sealed, or one is damaged: that is said, and the folder removed.
        Where there is one, the epoch after which it goes on is said.
    """
    try:
        seals = list(place.glob(f"*/{SEAL}"))
        if not seals:
            return None
        sealed = max(seals, key=lambda path: int(path.parent.name.rpartition("-")[2]))
        folder, said = sealed.parent, json.loads(sealed.read_text(encoding="utf-8"))
        for name, expected in said["files"].items():
            if file_hash(folder / name) != expected:
                raise ValueError(f"{name} has changed")
        best = torch.load(folder / BEST, weights_only=True) if BEST in said["files"] else None
        found = Unfinished(folder, said["history"], best)
    except Exception as error:  # whatever is wrong with it, the run can be done from its start
        logger.warning("cannot read the state in %s (%s): training anew", place, error)
        shutil.rmtree(place, ignore_errors=True)
        return None
    logger.warning("going on after epoch %d, where an earlier run was stopped", len(found.history))
    return found


def remove_old(folder: Path, *, but: Path) -> None:
    """Remove the states that nobody has gone on from for 30 days.

    Parameters
    ----------
    folder : Path
        Of all finished and unfinished runs.
    but : Path
        The state to keep, however old.
    """
    for place in folder.glob("*.unfinished"):
        try:
            if place != but and time.time() - place.stat().st_mtime > KEPT:
                with FileLock(place.with_suffix(".lock"), timeout=0):  # nobody goes on from it now
                    shutil.rmtree(place)
                logger.info("removed %s: a training stopped 30 days ago or more", place)
        except OSError as error:  # as of a folder that is read-only, or a lock that is held
            logger.info("%s could not be removed (%s)", place, error)
