"""The service under load, beside `predict_logits` alone; then 10,000 malformed requests.

python -m benchmarks.serving
python -m benchmarks.serving --fuzz 10000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from benchmarks.scoring import saved
from helpers import deployment
from helpers.messages import corpus_task


@contextmanager
def service(folder: Path):
    """Start the service on a free port; stop it at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "helpers", "serve", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


class Client:
    """One connection, as lean as can be: the client shares the processor with the service."""

    async def open(self, port: int) -> Client:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def post(self, body: bytes) -> tuple[int, bytes]:
        head = f"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        self.writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return int(head.split()[1]), await self.reader.readexactly(length)


async def load_test(port: int, texts: list[str], clients: int, size: int, seconds: float):
    """Give texts a second, from the first request to the last answer, and the median latency."""
    taken: list[float] = []
    done = 0
    begin = time.perf_counter()

    async def one(number: int) -> None:
        nonlocal done
        client, turn = await Client().open(port), 0
        while (now := time.perf_counter()) < begin + seconds:
            start = (number * 131 + turn * size) % (len(texts) - size)
            status, _ = await client.post(
                json.dumps({"texts": texts[start : start + size]}).encode()
            )
            assert status == 200, status
            turn += 1
            taken.append(time.perf_counter() - now)
            done += size
        client.writer.close()

    await asyncio.gather(*(one(number) for number in range(clients)))
    return done / (time.perf_counter() - begin), statistics.median(taken)


async def fuzz(port: int, pid: int, n: int) -> None:
    """Send malformed and random bodies; count the answers and watch the memory."""
    rng = np.random.default_rng(0)
    whole = json.dumps({"texts": ["Gas in the hall", "Grüße 😀", "\ud800"]}).encode()
    values = [None, 5, "", [], [[]], {"a": 1}, "a" * 30_000, ["a"] * 300, True, [None], "\udc00"]
    counts: Counter[int] = Counter()
    memory = []
    client = await Client().open(port)
    for i in range(n):
        kind = i % 4
        if kind == 0:
            body = rng.bytes(int(rng.integers(0, 400)))
        elif kind == 1:  # a whole request with some bytes changed
            body = bytearray(whole)
            for place in rng.integers(0, len(body), 3):
                body[place] = rng.integers(0, 256)
        elif kind == 2:
            field = str(rng.choice(["texts", "text", "Texts"]))
            body = json.dumps({field: values[int(rng.integers(len(values)))]}).encode()
        else:
            body = b"[" * int(rng.integers(1, 5000))
        status, _ = await client.post(bytes(body))
        counts[status] += 1
        if i % (n // 10) == 0:
            memory.append(psutil.Process(pid).memory_info().rss / 2**20)
    print(f"{n} requests: {dict(sorted(counts.items()))}")
    print("memory in MB:", ", ".join(f"{m:.0f}" for m in memory))


def main() -> None:
    """Print rates, latencies and their ratios to the network alone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fuzz", type=int, default=0, help="so many malformed requests instead")
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    texts = list(corpus_task("urgent").test.texts)
    with tempfile.TemporaryDirectory() as place:
        folder = saved(Path(place) / "desk")
        if arguments.fuzz:
            with service(folder) as (port, pid):
                asyncio.run(fuzz(port, pid, arguments.fuzz))
            return
        ready = deployment.load(folder)
        rates, singles = [], []
        with service(folder) as (port, _):
            found = {}
            for clients, size in ((1, 1), (64, 1), (64, 16)):
                started = time.perf_counter()
                ready.logits(texts[:500])
                rates.append(500 / (time.perf_counter() - started))
                for text in texts[:40]:
                    started = time.perf_counter()
                    ready.logits([text])
                    singles.append(time.perf_counter() - started)
                found[clients, size] = asyncio.run(
                    load_test(port, texts, clients, size, arguments.seconds)
                )
        alone, single = statistics.median(rates), statistics.median(singles)
        print(f"predict_logits alone: {alone:.0f} texts a second; one text {1000 * single:.1f} ms")
        for (clients, size), (rate, latency) in found.items():
            print(
                f"{clients:2} clients, {size:2} texts a request: {rate:.0f} texts a second "
                f"({rate / alone:.0%}), median latency {1000 * latency:.1f} ms"
            )
        bound = 1.5 * single + 0.005
        print(f"one client's latency is {found[1, 1][1] / bound:.2f} of 1.5 forward passes + 5 ms")


if __name__ == "__main__":
    main()
