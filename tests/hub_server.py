"""A Hub of our own on loopback: enough of its HTTP interface for the real clients, and its faults.

`huggingface_hub`, `datasets` and `transformers` find it through the variable HF_ENDPOINT. Large
files are redirected to another path, as the Hub does, and carry the SHA-256 of their bytes.
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = (".safetensors", ".bin", ".h5", ".msgpack", ".ot", ".parquet", ".gz", ".onnx")


@dataclass
class Repository:
    """One repository at one commit.

    `names` are the revisions that mean its commit; `gated` asks for a token, as the Hub does.
    """

    commit: str
    files: dict[str, bytes]
    names: tuple[str, ...] = ("main",)
    gated: bool = False

    def entry(self, path: str) -> dict:
        """Describe a file as the Hub's listings do."""
        data = self.files[path]
        found = {
            "type": "file",
            "path": path,
            "size": len(data),
            "oid": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(),
        }
        if path.endswith(LARGE):
            digest = hashlib.sha256(data).hexdigest()
            found["lfs"] = {"oid": digest, "sha256": digest, "size": len(data), "pointerSize": 134}
        return found


@dataclass
class Faults:
    """What goes wrong.

    `cut` maps the end of a path to the share of its bytes after which the connection breaks, as it
    does again at once whenever the rest is asked for;
    `short` to a share of the bytes that are sent as if they were all; `instead` to bytes that are
    sent in its place; `status` answers each request with this number.
    """

    cut: dict[str, float] = field(default_factory=dict)
    short: dict[str, float] = field(default_factory=dict)
    instead: dict[str, bytes] = field(default_factory=dict)
    status: int | None = None
    retry_after: int = 300


class Hub:
    """The server; as a context manager it runs, and `url` is its address."""

    def __init__(self, repositories: dict[tuple[str, str], Repository]) -> None:
        self.repositories = repositories
        self.faults = Faults()
        self.asked: list[tuple[str, str]] = []  # method and path
        self.sent: Counter[str] = Counter()  # bytes by file name
        self.lock = threading.Lock()
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self.handler = Handler
        self.open: set[socket.socket] = set()
        self.port = 0

    def start(self) -> None:
        """Serve; at the same address as before, if this is not the first time."""
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Be gone: refuse new connections, and break off those that are open."""
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Hub:
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def fetched(self) -> set[str]:
        """Name the files of which bytes were sent, as ``repository/path``."""
        return {name for name, count in self.sent.items() if count}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_hub: Hub

    def setup(self) -> None:
        super().setup()
        self.server_hub.open.add(self.connection)

    def finish(self) -> None:
        self.server_hub.open.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def log_message(self, *_) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub = self.server_hub
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with hub.lock:
            hub.asked.append((self.command, self.path))
        if hub.faults.status is not None:
            extra = {"Retry-After": str(hub.faults.retry_after)} if hub.faults.status == 429 else {}
            return self._reply(hub.faults.status, {"error": "a fault of the test"}, **extra)
        if path.startswith("/large/"):
            return self._file(*path.removeprefix("/large/").split("/", 4))
        parts = path.removeprefix("/api/").strip("/").split("/")
        if parts[0] in ("datasets", "models"):
            kind, *parts = parts
        else:
            kind = "models"
        repository = hub.repositories.get((kind, "/".join(parts[:2])))
        if repository is None:
            return self._reply(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        if repository.gated and not self.headers.get("Authorization"):
            return self._reply(401, {"error": "Access is restricted"}, X_Error_Code="GatedRepo")
        verb, revision, *rest = parts[2:] or ("revision", "main")
        revision = unquote(revision)
        if revision != repository.commit and revision not in repository.names:
            return self._reply(404, {"error": "Invalid rev id"}, X_Error_Code="RevisionNotFound")
        name = unquote("/".join(rest))
        if verb == "revision":
            return self._info("/".join(parts[:2]), repository)
        if verb == "tree":
            return self._tree(repository, name)
        if verb == "paths-info":
            return self._paths(repository, body)
        if verb == "resolve":
            return self._resolve(kind, "/".join(parts[:2]), repository, name)
        return self._reply(404, {"error": f"unknown: {path}"})

    def _info(self, name: str, repository: Repository) -> None:
        self._reply(
            200,
            {
                "_id": "0" * 24,
                "id": name,
                "modelId": name,
                "sha": repository.commit,
                "lastModified": "2024-01-01T00:00:00.000Z",
                "createdAt": "2024-01-01T00:00:00.000Z",
                "private": False,
                "gated": "manual" if repository.gated else False,
                "disabled": False,
                "tags": [],
                "downloads": 0,
                "likes": 0,
                "siblings": [{"rfilename": path} for path in repository.files],
            },
        )

    def _tree(self, repository: Repository, folder: str) -> None:
        recursive = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0] != "false"
        start = f"{folder}/" if folder else ""
        inside = [p for p in repository.files if p.startswith(start)]
        if folder and not inside:
            return self._reply(404, {"error": "no such folder"}, X_Error_Code="EntryNotFound")
        found = _folders(inside, start, recursive)
        deep = [p for p in inside if recursive or "/" not in p.removeprefix(start)]
        return self._reply(200, found + [repository.entry(p) for p in deep])

    def _paths(self, repository: Repository, body: bytes) -> None:
        asked = (
            json.loads(body)["paths"]
            if self.headers.get("Content-Type", "").startswith("application/json")
            else parse_qs(body.decode())["paths"]
        )
        folders = {entry["path"]: entry for entry in _folders(list(repository.files), "", True)}
        found = [
            repository.entry(path) if path in repository.files else folders.get(path)
            for path in asked
        ]
        self._reply(200, [entry for entry in found if entry])

    def _resolve(self, kind: str, name: str, repository: Repository, path: str) -> None:
        if path not in repository.files:
            return self._reply(
                404,
                {"error": "Entry not found"},
                X_Error_Code="EntryNotFound",
                X_Repo_Commit=repository.commit,
            )
        entry = repository.entry(path)
        if "lfs" not in entry:
            return self._file(kind, *name.split("/"), repository.commit, path)
        where = f"/large/{kind}/{name}/{repository.commit}/{path}"
        return self._reply(
            302,
            {},
            Location=where,
            X_Repo_Commit=repository.commit,
            X_Linked_Etag=f'"{entry["lfs"]["oid"]}"',
            X_Linked_Size=str(entry["size"]),
        )

    def _file(self, kind: str, owner: str, name: str, commit: str, path: str) -> None:
        hub = self.server_hub
        path = unquote(path)
        repository = hub.repositories[kind, f"{owner}/{name}"]
        data = repository.files[path]
        entry = repository.entry(path)
        for ending, share in hub.faults.short.items():
            if path.endswith(ending):
                data = data[: int(len(data) * share)]
        for ending, other in hub.faults.instead.items():
            if path.endswith(ending):
                data = other
        begin, status = 0, 200
        wanted = self.headers.get("Range")
        if wanted:
            first, last = wanted.removeprefix("bytes=").split("-")
            begin = int(first) if first else max(0, len(data) - int(last))
            end = int(last) + 1 if first and last else len(data)
            if begin >= len(data):
                return self._reply(416, {}, Content_Range=f"bytes */{len(data)}")
            whole, data, status = len(data), data[begin:end], 206
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{entry.get("lfs", entry)["oid"]}"')
        if status == 206:
            self.send_header("Content-Range", f"bytes {begin}-{begin + len(data) - 1}/{whole}")
        self.end_headers()
        if self.command == "HEAD":
            return None
        cut = [share for ending, share in hub.faults.cut.items() if path.endswith(ending)]
        part = data[: 0 if wanted else int(len(data) * cut[0])] if cut else data
        with hub.lock:
            hub.sent[f"{owner}/{name}/{path}"] += len(part)
        self.wfile.write(part)
        if cut:
            self.wfile.flush()
            self.close_connection = True
        return None

    def _reply(self, status: int, content: object, **headers: str) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _folders(paths: list[str], start: str, recursive: bool) -> list[dict]:
    """Describe the folders above these files."""
    names = set()
    for path in paths:
        steps = path.removeprefix(start).split("/")[:-1]
        for depth in range(1, (len(steps) if recursive else min(1, len(steps))) + 1):
            names.add(start + "/".join(steps[:depth]))
    return [
        {
            "type": "directory",
            "path": name,
            "size": 0,
            "oid": hashlib.sha1(name.encode()).hexdigest(),
        }
        for name in sorted(names)
    ]
