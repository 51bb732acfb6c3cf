"""The service answers like the rule, shares batches, and meets every wrong call with a message."""

import asyncio
import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import httpx
import pytest
import uvicorn
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import deployment
from helpers.serving import Batcher, Gate, Limits, QueueFull, first_request, make_app

LIMITS = Limits(texts=8, characters=500, body=20_000, queue=16, batch=8)


@pytest.fixture(scope="module")
def loaded(saved):
    """Load the small network."""
    return deployment.load(saved)


@pytest.fixture(scope="module")
def client(loaded):
    """Call the service in this process; a crash inside is raised here."""
    with TestClient(make_app(loaded, limits=LIMITS)) as client:
        yield client


def test_answers_are_the_rules(client, loaded, texts):
    """One text, and many, get the rule's records in order."""
    expected = loaded.explain(texts[:8])
    found = client.post("/classify", json={"texts": texts[:8]}).json()["results"]
    alone = [client.post("/classify", json={"texts": t}).json()["results"][0] for t in texts[:8]]
    for records in (found, alone):
        assert [r["label"] for r in records] == [e["label"] for e in expected]
        p = [e["positive_probability"] for e in expected]
        assert [r["positive_probability"] for r in records] == pytest.approx(p, abs=1e-5)


def test_health_readiness_decision_page_and_metrics(client, loaded):
    """The pages around the answers are there."""
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").status_code == 200
    assert client.get("/decision").json() == loaded.decision.to_dict()
    assert "/classify" in client.get("/openapi.json").json()["paths"]
    client.post("/classify", json={"texts": "a"})
    text = client.get("/metrics").text
    assert 'requests_total{status="200"}' in text and "batch_texts_bucket" in text
    assert 'decisions_total{label="' in text and "pending_texts 0.0" in text


def test_the_page_about_the_service_needs_no_network(client):
    """Script, style and picture of the OpenAPI page come from the service itself."""
    found = re.findall(r'(?:src|href)="([^"]+)"', client.get("/docs").text)
    assert len(found) >= 2
    for address in found:
        assert address.startswith("/") and client.get(address).status_code == 200


def test_it_is_not_ready_before_it_has_started(loaded):
    """Readiness is 503 until the network has decided a first text."""
    assert TestClient(make_app(loaded)).get("/ready").status_code == 503


WRONG = [
    ("{", 422, "JSON"),
    ("", 422, "required"),
    ("[]", 422, "valid dictionary"),
    ("null", 422, "valid dictionary|body: Field required"),
    ('{"texts": []}', 422, "at least 1"),
    ('{"texts": ""}', 422, "at least 1"),
    ('{"texts": ["a", ""]}', 422, "at least 1"),
    ('{"texts": 5}', 422, "valid list"),
    ('{"texts": [1]}', 422, "valid string"),
    ('{"texts": [null]}', 422, "valid string"),
    ('{"texts": ["a"], "top_k": 1}', 422, "Extra inputs"),
    ('{"text": "a"}', 422, "required"),
    ('{"texts": "\\ud800"}', 422, "unicode"),
    ('{"texts": ["\\udfff a"]}', 422, "unicode"),
    ('{"\\ud800": "a"}', 422, "unicode"),
    (json.dumps({"texts": "a" * 501}), 422, "at most 500"),
    (json.dumps({"texts": ["a"] * 9}), 422, "at most 8"),
    (json.dumps({"texts": "a" * 30_000}), 413, "at most 20000 bytes"),
    ("[" * 15_000, 422, ""),
    ('{"texts": NaN}', 422, ""),
]


@pytest.mark.parametrize(("body", "status", "words"), WRONG)
def test_wrong_calls_get_a_message(client, body, status, words):
    """What cannot be answered is a 4xx that says where and what."""
    found = client.post(
        "/classify", content=body.encode("utf-8"), headers={"Content-Type": "application/json"}
    )
    assert found.status_code in (status, 400), found.text
    assert re.search(words, found.text)


def test_bytes_that_are_no_utf8_get_a_message(client):
    """Invalid UTF-8 is a 4xx."""
    found = client.post(
        "/classify", content=b'{"texts": "\xff"}', headers={"Content-Type": "application/json"}
    )
    assert 400 <= found.status_code < 500


def test_what_is_missing_in_a_call_is_named(client):
    """Without the header the message names it; a body in another encoding is told where."""
    body = json.dumps({"texts": "a"}).encode()
    found = client.post("/classify", content=body, headers={"Content-Type": "text/plain"})
    assert found.status_code == 422
    assert "Content-Type: application/json, got text/plain" in found.json()["detail"][0]
    latin = '{"texts": "caf\u00e9"}'.encode("latin-1")
    found = client.post("/classify", content=latin, headers={"Content-Type": "application/json"})
    assert found.status_code == 422 and "UTF-8, but is not at byte 14" in found.json()["detail"]


@pytest.mark.parametrize("text", [" ", "\n\t", "\u200b\u2060", "\ufeff"])
def test_blank_texts_are_refused(client, text):
    """White space and unseen characters are no text, here as in files and in the pipeline."""
    found = client.post("/classify", json={"texts": ["a", text]})
    assert found.status_code == 422 and "must not be blank" in found.text


def test_only_the_guilty_request_of_a_batch_fails(loaded):
    """Nine requests share a batch with one that breaks the network: they get their answers."""
    entered, go = threading.Event(), threading.Event()

    def run(texts):
        if texts == ["first"]:
            entered.set()
            go.wait(60)
        if any("break" in text for text in texts):
            raise RuntimeError("the network broke")
        return [{"label": text} for text in texts]

    async def all_at_once():
        batcher = Batcher(run, max_batch=100, max_queue=100)
        first = asyncio.create_task(batcher.submit(["first"]))
        await asyncio.to_thread(entered.wait, 60)
        tasks = [
            asyncio.create_task(batcher.submit([f"break {i}" if i == 4 else f"text {i}"]))
            for i in range(10)
        ]
        while batcher.pending < 11:
            await asyncio.sleep(0)
        go.set()
        found = await asyncio.gather(first, *tasks, return_exceptions=True)
        batcher.close()
        return found

    found = asyncio.run(all_at_once())
    assert isinstance(found[5], RuntimeError)
    assert [f[0]["label"] for i, f in enumerate(found) if i != 5] == [
        "first",
        *(f"text {i}" for i in range(10) if i != 4),
    ]


def test_wrong_paths_and_methods(client):
    """Other paths are 404, other methods 405."""
    assert client.get("/nothing").status_code == 404
    assert client.get("/classify").status_code == 405


def test_a_body_without_a_length_is_limited_too(client):
    """A body that comes in pieces, and never ends, is refused once it is too long."""

    def pieces():
        for _ in range(1000):
            yield b"a" * 1000

    found = client.post("/classify", content=pieces())
    assert found.status_code == 413


@pytest.mark.parametrize(
    "body", [{"texts": [1] * 300_000}, {str(i): i for i in range(100_000)}], ids=["list", "fields"]
)
def test_a_long_list_of_faults_is_refused_at_once(loaded, body, monkeypatch):
    """Of hundreds of thousands of faults in one body, no more than two are made into errors."""
    counted, original = [], RequestValidationError.__init__

    def counting(self, errors, **options):
        counted.append(len(errors))
        original(self, errors, **options)

    monkeypatch.setattr(RequestValidationError, "__init__", counting)
    with TestClient(make_app(loaded)) as client:
        found = client.post("/classify", json=body)
    assert found.status_code == 422 and len(found.text) < 1000
    assert len(counted) == 1 and counted[0] <= 2


def test_a_fault_of_ours_is_counted(loaded):
    """An answer of 500 stands in the metrics."""

    class Broken:
        decision = loaded.decision
        failing = False

        def explain(self, texts):
            if self.failing:
                raise RuntimeError("oh")
            return [{"label": "a"}] * len(texts)

    broken = Broken()
    with TestClient(make_app(broken), raise_server_exceptions=False) as client:
        broken.failing = True
        assert client.post("/classify", json={"texts": "a"}).status_code == 500
        assert 'requests_total{status="500"} 1.0' in client.get("/metrics").text


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=200)
    | json_values.map(lambda v: json.dumps(v).encode())
    | json_values.map(lambda v: json.dumps({"texts": v}).encode())
)
def test_no_body_is_a_server_error(client, body):
    """Whatever bytes come, the answer is 200 or 4xx with JSON."""
    found = client.post("/classify", content=body, headers={"Content-Type": "application/json"})
    assert found.status_code == 200 or 400 <= found.status_code < 500
    assert found.json()


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("POST", "/classify", {"json": {"texts": "a"}}),
        ("GET", "/decision", {}),
        ("GET", "/metrics", {}),
    ],
)
def test_a_key_is_asked_for(loaded, method, path, options):
    """With a key, what the service answers and counts is closed without it."""
    with TestClient(make_app(loaded, api_key="secret")) as client:
        assert client.get("/health").status_code == client.get("/ready").status_code == 200
        found = client.request(method, path, **options)
        assert found.status_code == 401 and "Authorization: Bearer" in found.text
        for wrong in ("Bearer other", "Basic secret", "Bearer ", "secret", b"Bearer \xff"):
            headers = {"Authorization": wrong}
            assert client.request(method, path, headers=headers, **options).status_code == 401
        headers = {"Authorization": "Bearer secret"}
        assert client.request(method, path, headers=headers, **options).status_code == 200


# Batches


def together(*jobs, run, max_queue=100, max_batch=8):
    """Submit jobs at once; give what each got."""

    async def main():
        batcher = Batcher(run, max_batch=max_batch, max_queue=max_queue)
        tasks = [batcher.submit(job) for job in jobs]
        try:
            return await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            assert batcher.pending == 0
            batcher.close()

    return asyncio.run(main())


def test_requests_share_batches_and_get_their_own_answers():
    """What waits runs together, up to the limit, and each request gets its own records."""
    sizes = []

    def run(texts):
        sizes.append(len(texts))
        return [t.upper() for t in texts]

    jobs = [[f"a{i}"] for i in range(20)] + [[f"b{i}" for i in range(12)]]
    found = together(*jobs, run=run)
    assert found == [[t.upper() for t in job] for job in jobs]
    assert sizes == [8, 8, 4, 12]


def test_a_failing_batch_fails_alone():
    """An error reaches the requests of its batch; the next batch runs."""

    def run(texts):
        if "bad" in texts:
            raise ValueError("broken")
        return texts

    found = together(["bad"], ["good"], run=run, max_batch=1)
    assert isinstance(found[0], ValueError) and found[1] == ["good"]


def test_a_full_queue_refuses():
    """Beyond the limit a request is refused at once; the others are answered."""
    found = together(["a"] * 3, ["b"] * 3, ["c"], run=list, max_queue=5)
    assert found[0] == ["a"] * 3 and isinstance(found[1], QueueFull) and found[2] == ["c"]


def test_a_client_that_has_gone_harms_nobody():
    """A cancelled request leaves the queue; the others of its batch are answered."""

    async def main():
        batcher = Batcher(list, max_batch=8, max_queue=8)
        gone = asyncio.create_task(batcher.submit(["gone"]))
        stays = asyncio.create_task(batcher.submit(["stays"]))
        await asyncio.sleep(0)
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone
        assert await stays == ["stays"] and batcher.pending == 0
        batcher.close()

    asyncio.run(main())


def test_a_full_queue_is_429_with_retry_after(loaded):
    """Over HTTP the refusal is 429 and says when to try again."""
    slow = threading.Event()

    class Slow:
        decision = loaded.decision

        def explain(self, texts):
            if texts != ["warm up"]:
                assert slow.wait(300)
            return loaded.explain(texts)

    async def main():
        app = make_app(Slow(), limits=LIMITS)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                calls = [
                    asyncio.create_task(client.post("/classify", json={"texts": ["a"] * 8}))
                    for _ in range(4)
                ]
                while sum(call.done() for call in calls) < 2:
                    await asyncio.sleep(0.01)
                slow.set()
                return await asyncio.gather(*calls)

    found = asyncio.run(main())
    assert sorted(r.status_code for r in found) == [200, 200, 429, 429]
    assert {r.headers.get("Retry-After") for r in found if r.status_code == 429} == {"1"}


@pytest.fixture(scope="module")
def address(loaded):
    """Serve in a thread on a free port, for clients that speak over a real connection."""
    server = uvicorn.Server(
        uvicorn.Config(make_app(loaded, limits=LIMITS), port=free_port(), log_level="warning")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield server.config.host, server.config.port
    server.should_exit = True
    thread.join()


def test_a_client_that_sends_all_before_it_listens_gets_its_413(address):
    """A body thirty times too large is read to its end, and answered; urllib sees no reset."""
    url = f"http://{address[0]}:{address[1]}/classify"
    for _ in range(20):
        request = urllib.request.Request(url, b"a" * 30 * LIMITS.body, method="POST")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        assert caught.value.code == 413 and b"at most 20000 bytes" in caught.value.read()


RAW = {
    "garbage": (b"\x00\xff garbage\r\n\r\n", {400}),
    "HTTP/1.0": (b"GET /health HTTP/1.0\r\n\r\n", {200}),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", {200, 400}),
    "wrong length": (
        b"POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n{}",
        {400},
    ),
    "too short a length": (
        b"POST /classify HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b'Content-Length: 5\r\n\r\n{"texts": "a"}',
        {400, 422},
    ),
    "unknown method": (b"BREW /classify HTTP/1.1\r\nHost: a\r\n\r\n", {404, 405, 400}),
}


@pytest.mark.parametrize("case", RAW)
def test_raw_requests_are_answered_or_refused(address, case):
    """What is no proper request is a 4xx, and the next client is served."""
    sent, wanted = RAW[case]
    with socket.create_connection(address) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        status = int(line.makefile("rb").readline().split()[1])
    assert status in wanted
    assert httpx.get(f"http://{address[0]}:{address[1]}/health").status_code == 200


def test_half_a_request_and_a_client_that_goes_harm_nobody(address):
    """Clients that stop in the midst of head or body leave nothing waiting."""
    for sent in (b"POST /cl", b"POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{"):
        for _ in range(20):
            with socket.create_connection(address) as line:
                line.sendall(sent)
    url = f"http://{address[0]}:{address[1]}"
    assert httpx.post(f"{url}/classify", json={"texts": "a"}).status_code == 200
    assert "pending_texts 0.0" in httpx.get(f"{url}/metrics").text


# The process


def free_port():
    """Find a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to catch")
def test_the_process_serves_and_stops_gracefully(saved, texts):
    """Started as a command it asks for its key, answers, and ends what it accepted on SIGTERM."""
    port = free_port()
    command = [sys.executable, "-m", "helpers", "serve", str(saved), "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--api-key-env", "DESK_KEY"],
        env={**os.environ, "DESK_KEY": "k", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{address}/ready").status_code == 200:
                    break
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.1)
        assert httpx.post(f"{address}/classify", json={"texts": "a"}).status_code == 401
        body = json.dumps({"texts": texts}).encode()
        head = (
            f"POST /classify HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer k\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Expect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as line, line.makefile("rb") as answer:
            line.sendall(head.encode())
            assert b" 100 " in answer.readline()  # the request runs: the service asks for the body
            answer.readline()
            process.send_signal(signal.SIGTERM)
            line.sendall(body)
            assert b" 200 " in answer.readline()
            while answer.readline().strip():
                pass
            assert len(json.loads(answer.read())["results"]) == 200
        assert process.wait(300) in (0, -signal.SIGTERM)
        printed = process.stdout.read()
        assert f"ask it: {first_request('127.0.0.1', port, with_key=True)}" in printed
        assert not any(t in printed for t in texts), "texts are not logged"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_the_service_says_how_to_ask_it(saved):
    """The command that is printed reaches the service, whatever host it listens on, and decides."""
    for host, at in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]")):
        words = shlex.split(first_request(host, 8000, with_key=True))
        assert words[:2] == ["curl", f"http://{at}:8000/classify"]
    head = dict(words[k + 1].split(": ") for k, word in enumerate(words) if word == "-H")
    assert head.pop("Authorization") == "Bearer KEY"
    assert "Bearer" not in first_request("127.0.0.1", 8000)
    with TestClient(make_app(deployment.load(saved))) as client:
        answer = client.post("/classify", headers=head, content=words[words.index("-d") + 1])
    assert answer.status_code == 200 and len(answer.json()["results"]) == 1


def gate(send_fails):
    """Answer one request through the gate to a client whose line breaks; give what was counted."""
    seen = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def call():
        messages = [{"type": "http.request", "body": b"{}"}]

        async def receive():
            if messages:
                return messages.pop()
            return {"type": "http.disconnect"}

        async def send(message):
            raise send_fails

        await Gate(app, 100, lambda *found: seen.append(found[0]))({"type": "http"}, receive, send)

    asyncio.run(call())
    return seen


@pytest.mark.parametrize("error", [RuntimeError("the handler is closed"), BrokenPipeError()])
def test_a_client_that_left_before_its_answer_is_no_error(error):
    """An answer that finds nobody leaves no traceback in the log and no 500 in the counts."""
    assert gate(error) == [200]


def test_an_answer_that_fails_while_the_client_listens_stays_an_error():
    """Only a client that has left is passed over: any other fault of sending is raised."""
    with pytest.raises(RuntimeError, match="Unexpected ASGI message"):
        gate(RuntimeError("Unexpected ASGI message"))
