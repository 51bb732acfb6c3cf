"""Take networks and data sets from the Hugging Face Hub, or say in one sentence why not.

A download either arrives whole or leaves nothing that a second attempt would trip over; what fails
is said within seconds, where the clients underneath would repeat it for most of a minute.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)
WEIGHTS = (r"model(-\d+-of-\d+)?\.safetensors", r"pytorch_model(-\d+-of-\d+)?\.bin")
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
ATTEMPTS = 3  # of one request; a download that goes on from another byte is another request
PATIENCE = 8.0  # seconds after which a request that failed is not repeated
BROKEN = "did not arrive as it is listed; it was removed, so try again"
SWITCHED_OFF = "the environment variable HF_HUB_OFFLINE forbids downloads: unset it"
UNREACHABLE = "it cannot be reached: check the network, and try again"
DISK = tuple(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "ENOTDIR")
    if hasattr(errno, name)
)


def switched_off() -> bool:
    """Tell whether downloads are switched off, as `run.py` does for the lessons.

    Returns
    -------
    bool

    Examples
    --------
    >>> switched_off() == (os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"))
    True
    """
    return os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0")


def network_files(names: Iterable[str]) -> list[str]:
    """Choose the files of a repository that transformers loads a network and its tokenizer from.

    Parameters
    ----------
    names : iterable of str
        Paths in the repository.

    Returns
    -------
    list of str
        Configuration, vocabulary, and the weights once: as safetensors where there are such. What
        other libraries read is left out, as are folders.

    Examples
    --------
    >>> network_files(["config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5"])
    ['config.json', 'model.safetensors']
    """
    top = [name for name in names if "/" not in name]
    chosen = [name for name in top if name.endswith((".json", ".txt", ".model"))]
    for form in WEIGHTS:
        if weights := [name for name in top if re.fullmatch(form, name)]:
            return sorted(chosen + weights)
    return sorted(chosen)


def fetch_network(repository: str, revision: str) -> Path:
    """Find the files of a network in the Hub's cache on this machine, or download them.

    Parameters
    ----------
    repository : str
        As ``owner/name``.
    revision : str
        A commit, which is not asked for again once it is here; or a branch, whose newest commit is
        taken where the Hub can be reached.

    Returns
    -------
    Path
        The folder in the cache. Each file was compared with the hash that the Hub lists for it.

    Raises
    ------
    ValueError
        If the files are not here and cannot be had, with the reason.
    """
    from huggingface_hub import HfApi, snapshot_download

    kept = _kept(repository, revision)
    if kept is not None and re.fullmatch("[0-9a-f]{40}", revision):
        return kept
    try:
        with hub_errors(repository):
            found = HfApi().list_repo_tree(repository, revision=revision)
            entries = {entry.path: entry for entry in found if hasattr(entry, "size")}
            names = network_files(entries)
            folder = Path(snapshot_download(repository, revision=revision, allow_patterns=names))
    except ValueError as error:
        if kept is None:
            raise
        logger.warning("taking the copy of %s that is here (%s)", repository, error)
        return kept
    broken = [name for name in names if not _is_listed(folder / name, entries[name])]
    for name in broken:
        (folder / name).resolve().unlink()
        (folder / name).unlink(missing_ok=True)
    if broken:
        raise ValueError(f"cannot get {repository} from the Hub: {', '.join(broken)} {BROKEN}")
    return folder


def load_data_set(repository: str, configuration: str | None, revision: str | None) -> Any:
    """Load a data set of the Hub with `datasets`.

    Parameters
    ----------
    repository : str
        As ``owner/name``.
    configuration, revision : str or None
        None for the data set's own, and for its newest commit.

    Returns
    -------
    datasets.DatasetDict

    Raises
    ------
    ValueError
        If it is not here and cannot be had, with the reason.
    """
    import datasets

    try:
        with hub_errors(repository):
            loaded = datasets.load_dataset(repository, configuration, revision=revision)
    except ValueError as error:
        if _drop_broken(repository):
            raise ValueError(f"cannot get {repository} from the Hub: a file {BROKEN}") from error
        raise
    if _drop_broken(repository):  # and it could be read nevertheless
        loaded.cleanup_cache_files()
        for one in {
            Path(file["filename"]).parent for rows in loaded.values() for file in rows.cache_files
        }:
            shutil.rmtree(one, ignore_errors=True)
        raise ValueError(f"cannot get {repository} from the Hub: a file {BROKEN}")
    return loaded


def _kept(repository: str, revision: str) -> Path | None:
    """Find a whole copy in the cache, whichever version of the client wrote it."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                repository,
                revision=revision,
                local_files_only=True,
                allow_patterns=["config.json"],
            )
        )
    except Exception:  # whatever is wrong with it, the Hub has another
        return None
    return folder if _is_whole(folder) else None


def _is_whole(folder: Path) -> bool:
    """Tell whether configuration, vocabulary and all parts of the weights are there."""
    indices = list(folder.glob("*.index.json"))
    try:
        parts = {
            part
            for index in indices
            for part in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    weights = {
        path.name for path in folder.iterdir() if any(re.fullmatch(w, path.name) for w in WEIGHTS)
    }
    return (
        (folder / "config.json").is_file()
        and bool(weights)
        and parts <= weights
        and any(any(folder.glob(name)) for name in TOKENIZERS)
    )


def _is_listed(path: Path, entry: Any) -> bool:
    """Compare a file with the hash that the Hub lists: SHA-256 of large ones, git's of others."""
    large = getattr(entry, "lfs", None)
    with open(path, "rb") as file:
        if large is not None:
            return hashlib.file_digest(file, "sha256").hexdigest() == large["sha256"]
        data = file.read()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() == entry.blob_id


def _drop_broken(repository: str) -> bool:
    """Remove large files of a data set in the cache whose bytes are not those they are named by."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"datasets--{repository.replace('/', '--')}" / "blobs"
    found = False
    for path in folder.glob("?" * 64):
        with open(path, "rb") as file:
            broken = hashlib.file_digest(file, "sha256").hexdigest() != path.name
        if broken:
            path.unlink()
            found = True
    return found


@contextmanager
def hub_errors(what: str) -> Iterator[None]:
    """Say what goes wrong between here and the Hub in one sentence, and soon.

    Parameters
    ----------
    what : str
        The repository, for the message.

    Raises
    ------
    ValueError
        For whatever the libraries inside raise.
    """
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http
    from huggingface_hub.utils import logging as hub_logging

    watch = _Watch()

    def client() -> Any:
        made = _http.default_client_factory()
        hooks = made.event_hooks
        made.event_hooks = {
            "request": [*hooks["request"], watch.before],
            "response": [*hooks["response"], watch.after],
        }
        return made

    level = hub_logging.get_verbosity()
    hub_logging.set_verbosity_error()
    set_client_factory(client)
    try:
        yield
    except Exception as error:
        reason = watch.reason or _reason(error, what)
        raise ValueError(f"cannot get {what} from the Hub: {reason}") from error
    finally:
        set_client_factory(_http.default_client_factory)
        hub_logging.set_verbosity(level)


class _Watch:
    """Look at each request and each answer; stop what would only be repeated."""

    def __init__(self) -> None:
        self.failed: dict[tuple[str, str, str], tuple[int, float]] = {}
        self.reason: str | None = None

    def before(self, request: Any) -> None:
        key = self._key(request)
        times, since = self.failed.get(key, (0, time.monotonic()))
        if times >= ATTEMPTS or (times and time.monotonic() - since > PATIENCE):
            self.reason = self.reason or UNREACHABLE
            raise _Stopped(self.reason)
        self.failed[key] = times + 1, since  # until an answer says otherwise

    def after(self, response: Any) -> None:
        status = response.status_code
        if status < 500 and status != 429:
            self.failed.pop(self._key(response.request), None)
            return
        if status == 429:
            wait = response.headers.get("Retry-After", "")
            if wait.isdigit() and int(wait) <= PATIENCE:
                return  # the client waits
            self.reason = (
                f"it takes no more requests from here for {wait or 'some'} seconds: wait, or log "
                "in with `hf auth login`, which allows more"
            )
            raise _Stopped(self.reason)
        self.reason = f"it is in trouble itself (status {status}): try again later"

    @staticmethod
    def _key(request: Any) -> tuple[str, str, str]:
        return request.method, str(request.url), request.headers.get("Range", "")


class _Stopped(Exception):
    """A request that need not be made."""


def _reason(error: BaseException, what: str) -> str:
    """Find the cause that a person can do something about."""
    from huggingface_hub import constants

    if switched_off():
        return SWITCHED_OFF
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain:
        chain.append(one)
        one = one.__cause__ or one.__context__
    names = [type(one).__name__ for one in chain]
    statuses = [getattr(getattr(one, "response", None), "status_code", None) for one in chain]
    for one in chain:
        if isinstance(one, OSError) and one.errno in DISK:
            return (
                f"{constants.HF_HOME} cannot be written ({os.strerror(one.errno or 0)}): make room "
                "there, or name another folder in the environment variable HF_HOME"
            )
    if "GatedRepoError" in names or 403 in statuses:
        return (
            "it gives this one only to those who agreed to its terms: do so on its page, then log "
            "in with `hf auth login`"
        )
    if "RevisionNotFoundError" in names:
        return "it has no such revision of it"
    if {"RepositoryNotFoundError", "DatasetNotFoundError"} & set(names) or 401 in statuses:
        return f"it has no {what} that is open to all: check the name"
    text = " ".join(map(str, chain))
    if "onsistency check failed" in text or "IncompleteRead" in text or "peer closed" in text:
        return "a file broke off on the way: try again"
    if {"ConnectError", "ConnectTimeout", "ConnectionError", "ReadTimeout"} & set(names):
        return UNREACHABLE
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else names[0]
