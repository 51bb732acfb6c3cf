"""Send the service 100,000 requests, good and bad, and look at its answers and its memory.

python -m benchmarks.requests                      100,000 requests
python -m benchmarks.requests --times 5000 --warm-up 500

A process of its own serves a tiny network. Its bodies are generated from its own OpenAPI schema:
half of them fit the schema, half do not. One request in five goes over a raw socket and breaks the
rules of HTTP. No answer may be a 5xx, a body that fits must be decided, and the memory at the end
may be at most 5 % above the memory after the warm-up. The server drops a client that closes its own
direction before it is answered: those are counted as "no answer".
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.kills import NAMES, tiny_network
from helpers import deployment
from helpers.decisions import BinaryThreshold
from helpers.portable.texts import is_blank
from helpers.prediction import load_tokenizer, resolve_checkpoint
from helpers.recipes import MINILM
from helpers.serving import Limits

JSON = "application/json"
PLACES = ("/health", "/ready", "/decision", "/metrics", "/openapi.json", "/docs", "/nothing")
METHODS = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
TYPES = (JSON, JSON, JSON, "text/plain", "", "application/x-www-form-urlencoded", "a" * 3000)


def from_schema(schema: dict[str, Any], whole: dict[str, Any]) -> st.SearchStrategy:
    """Make a strategy for the values that a part of an OpenAPI page allows."""
    if "$ref" in schema:
        found = whole
        for key in schema["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        return from_schema(found, whole)
    if schema["type"] == "object":
        fields = schema["properties"].items()
        return st.fixed_dictionaries({name: from_schema(f, whole) for name, f in fields})
    if schema["type"] == "array":
        items = from_schema(schema["items"], whole)
        return st.lists(items, min_size=schema["minItems"], max_size=min(schema["maxItems"], 8))
    if schema["type"] == "string":
        return st.text(min_size=schema["minLength"], max_size=schema["maxLength"])
    raise ValueError(f"the schema has a type {schema['type']}, which is not generated here")


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["texts", "text", "", "\ud800"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def bodies(page: dict[str, Any], times: int, start: int) -> tuple[list[bytes], list[bytes]]:
    """Generate bodies that fit the schema of a page, and bodies that do not."""
    schema = page["paths"]["/classify"]["post"]["requestBody"]["content"][JSON]["schema"]
    good: list[bytes] = []
    bad: list[bytes] = []
    fits = from_schema(schema, page).filter(lambda b: not any(map(is_blank, b["texts"])))
    some = ODD | st.fixed_dictionaries({"texts": ODD})
    broken = st.binary(max_size=200) | some.map(lambda value: json.dumps(value).encode()[:-1])
    for strategy, found in (
        (fits.map(lambda value: json.dumps(value).encode()), good),
        (some.map(lambda value: json.dumps(value).encode()) | broken, bad),
    ):
        options = settings(
            max_examples=times,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        draw(strategy, found.append, options, start)
    return good, bad


def draw(
    strategy: st.SearchStrategy, take: Callable[[bytes], None], options: settings, start: int
) -> None:
    """Hand the examples of a strategy to a function."""

    @seed(start)
    @options
    @given(strategy)
    def each(body: bytes) -> None:
        take(body)

    each()


def head(length: int | str, *, kind: str | None = JSON, version: str = "1.1") -> bytes:
    """Write the head of a request."""
    lines = [f"POST /classify HTTP/{version}", "Host: desk", f"Content-Length: {length}"]
    lines += [f"Content-Type: {kind}"] if kind is not None else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def slow(line: socket.socket, body: bytes) -> None:
    """Send a body in pieces, with pauses."""
    line.sendall(head(len(body)))
    for piece in (body[:3], body[3:9], body[9:]):
        time.sleep(random.uniform(0, 0.02))
        line.sendall(piece)


def half_closed(line: socket.socket, body: bytes) -> None:
    """Send all, close the own direction, and still listen."""
    line.sendall(head(len(body)) + body)
    line.shutdown(socket.SHUT_WR)


def cut_off(line: socket.socket, body: bytes) -> None:
    """Promise more than is sent, and close the own direction."""
    line.sendall(head(len(body) + 100) + body)
    line.shutdown(socket.SHUT_WR)


def gone(line: socket.socket, body: bytes) -> None:
    """Send all and listen to nothing."""
    line.sendall(head(len(body)) + body)
    line.close()


def pipelined(line: socket.socket, body: bytes) -> None:
    """Send four requests before the first answer."""
    line.sendall((head(len(body)) + body) * 4)


def too_short(line: socket.socket, body: bytes) -> None:
    """Say a smaller length than the body has."""
    line.sendall(head(max(0, len(body) - 5)) + body)
    line.shutdown(socket.SHUT_WR)


def no_number(line: socket.socket, body: bytes) -> None:
    """Say a length that is none."""
    line.sendall(head(random.choice(["-1", "ten", "1e3", "9" * 40, "5, 6"])) + body)
    line.shutdown(socket.SHUT_WR)


def two_lengths(line: socket.socket, body: bytes) -> None:
    """Say a length, and that it comes in chunks as well."""
    start = head(len(body)).replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    line.sendall(start + body)
    line.shutdown(socket.SHUT_WR)


def old_version(line: socket.socket, body: bytes) -> None:
    """Speak HTTP/1.0."""
    line.sendall(head(len(body), version="1.0") + body)


def no_type(line: socket.socket, body: bytes) -> None:
    """Leave Content-Type out."""
    line.sendall(head(len(body), kind=None) + body)
    line.shutdown(socket.SHUT_WR)


def no_utf8(line: socket.socket, body: bytes) -> None:
    """Send bytes that are not UTF-8."""
    body = body[:10] + b"\xff\xfe" + body[10:]
    line.sendall(head(len(body)) + body)
    line.shutdown(socket.SHUT_WR)


def noise(line: socket.socket, body: bytes) -> None:
    """Send what is no HTTP at all."""
    line.sendall(random.randbytes(200) + body)
    line.shutdown(socket.SHUT_WR)


def too_large(line: socket.socket, body: bytes) -> None:
    """Send a body beyond the limit, all of it before listening."""
    size = Limits().body + 1
    line.sendall(head(size) + b" " * size)


RAW: tuple[Callable[[socket.socket, bytes], None], ...] = (
    slow,
    half_closed,
    cut_off,
    gone,
    pipelined,
    too_short,
    no_number,
    two_lengths,
    old_version,
    no_type,
    no_utf8,
    noise,
    too_large,
)
RARE = {too_large: 0.1}  # a share of the others


class Client(threading.Thread):
    """Send a share of the requests, one after the other, and count the answers."""

    def __init__(self, port: int, times: int, good: list[bytes], bad: list[bytes]) -> None:
        super().__init__()
        self.port, self.times, self.good, self.bad = port, times, good, bad
        self.found: Counter = Counter()
        self.wrong: list[str] = []
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def run(self) -> None:
        """Send all."""
        for _ in range(self.times):
            try:
                self.raw() if random.random() < 0.2 else self.plain()
            except Exception as error:
                self.wrong.append(f"{type(error).__name__}: {error}")
                self.line.close()
        self.line.close()

    def plain(self) -> None:
        """Send one whole request, on a line that stays open."""
        method, place, body, kind, fits = "POST", "/classify", None, JSON, False
        which = random.random()
        if which < 0.5:
            body, fits = random.choice(self.good), True
        elif which < 0.9:
            body, kind = random.choice(self.bad), random.choice(TYPES)
        else:
            method, place = random.choice(METHODS), random.choice((*PLACES, "/classify"))
        self.line.request(method, place, body, {"Content-Type": kind})
        answer = self.line.getresponse()
        answer.read()
        self.found[answer.status] += 1
        if answer.status >= 500 or (fits and answer.status != 200):
            self.wrong.append(f"{answer.status} for {method} {place} {(body or b'')[:200]!r}")

    def raw(self) -> None:
        """Break a rule, and take what comes until the server closes or has answered."""
        way = random.choices(RAW, [RARE.get(way, 1.0) for way in RAW])[0]
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line:
            got = b""
            with contextlib.suppress(ConnectionError):
                way(line, random.choice(self.good))
                while way is not gone and (piece := line.recv(65536)):
                    got += piece
                    if got.count(b'{"results"') == 4:
                        break  # of those that were pipelined
                    start, _, rest = got.partition(b"\r\n\r\n")
                    length = start.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
                    if way is not pipelined and length.isdigit() and len(rest) >= int(length):
                        break
        statuses = [int(found) for found in re.findall(rb"HTTP/1\.\d (\d{3}) ", got)]
        self.found.update(statuses or [f"no answer ({way.__name__})"])
        if any(status >= 500 for status in statuses):
            self.wrong.append(f"{statuses} for {way.__name__}")
        expected = {slow: [200], old_version: [200], pipelined: [200] * 4}
        expected |= {no_utf8: [422], too_large: [413]}
        if way in expected and statuses != expected[way]:
            self.wrong.append(f"{statuses} for {way.__name__}, expected {expected[way]}")


def memory(process: int) -> int:
    """Read the resident memory of a process, in KiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def send(port: int, times: int, clients: int, pools: tuple[list[bytes], list[bytes]]) -> Client:
    """Send so many requests through some clients at once, and give their counts in one."""
    crowd = [Client(port, -(-times // clients), *pools) for _ in range(clients)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    for one in crowd[1:]:
        crowd[0].found.update(one.found)
        crowd[0].wrong += one.wrong
    return crowd[0]


def main() -> None:
    """Serve, send, count; fail where an answer or the memory is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=100_000)
    parser.add_argument("--warm-up", type=int, default=10_000, help="of these requests")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--bodies", type=int, default=5000, help="generated, of each sort")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as place, socket.socket() as free:
        rule = BinaryThreshold(cut=0.0, label_names=NAMES)
        tokenizer = load_tokenizer(resolve_checkpoint(MINILM))
        deployment.save(Path(place, "desk"), tiny_network(), tokenizer, rule, dtype="fp32")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [sys.executable, "-m", "helpers", "serve", f"{place}/desk", "--port", str(port)]
        with Path(place, "log").open("w") as log:
            server = subprocess.Popen(
                command, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.2)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json") as answer:
                pools = bodies(json.load(answer), options.bodies, options.seed)
            started = time.perf_counter()
            first = send(port, options.warm_up, options.clients, pools)
            warm = memory(server.pid)
            rest = send(port, options.times - options.warm_up, options.clients, pools)
            seconds, end = time.perf_counter() - started, memory(server.pid)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                waiting = answer.read().decode().partition("\npending_texts ")[2].split("\n")[0]
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(60)
        log_text = Path(place, "log").read_text()
        tracebacks = log_text.count("Traceback")
    found, wrong = first.found + rest.found, first.wrong + rest.wrong
    print(f"{options.times} requests in {seconds:.0f} s, seed {options.seed}")
    for status, times in sorted(found.items(), key=str):
        print(f"{status!s:24} {times:8}")
    print(
        f"memory {warm / 1024:.1f} MiB warm, {end / 1024:.1f} MiB at the end "
        f"({end / warm - 1:+.1%})"
    )
    print(f"texts that still wait {waiting}, exit code {code}, tracebacks in the log {tracebacks}")
    print(f"{len(wrong)} wrong answers", *wrong[:10], sep="\n  ")
    raise SystemExit(bool(wrong or tracebacks or float(waiting) or end > 1.05 * warm))


if __name__ == "__main__":
    main()
