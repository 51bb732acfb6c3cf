"""The HTTP service: one network, its rule, and requests that share batches.

Lesson 04 explains it. Needs the extra ``serve``.
"""

import asyncio
import hmac
import json
import logging
import socket
import time
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import prometheus_client as prometheus
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_offline import FastAPIOffline
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    model_validator,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers.deployment import Deployment, load
from helpers.portable.texts import is_blank

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the service takes.

    Attributes
    ----------
    texts : int
        Texts a request.
    characters : int
        Characters a text.
    body : int
        Bytes of a request's body.
    queue : int
        Texts that wait or run; beyond, a request is answered with 429.
    batch : int
        Texts that run together.
    """

    texts: int = 256
    characters: int = 20_000
    body: int = 2_000_000
    queue: int = 2048
    batch: int = 256


class QueueFull(Exception):
    """Too many texts wait."""


def _finish(
    future: asyncio.Future, records: list[Any] | None = None, error: Exception | None = None
) -> None:
    """Hand a request its records or its error; a client that has gone has cancelled its future."""
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(records)


class Batcher:
    """Run what waits, together, whenever the network is free.

    Nothing waits for a batch to fill: the first text runs at once, and those that come meanwhile
    run together after it. So batches grow with the load, and a lone client waits for nobody. A
    batch that fails is run again, a request at a time: only the guilty one gets the error.

    Parameters
    ----------
    run : callable
        Takes a list of texts, gives a list of records; called in one thread, one call at a time.
    max_batch, max_queue : int
        Texts.
    """

    def __init__(
        self, run: Callable[[list[str]], list[Any]], *, max_batch: int, max_queue: int
    ) -> None:
        self.run, self.max_batch, self.max_queue = run, max_batch, max_queue
        self.pending = 0  # texts that wait or run
        self._waiting: deque[tuple[list[str], asyncio.Future]] = deque()
        self._thread = ThreadPoolExecutor(1)
        self._worker: asyncio.Task | None = None

    async def submit(self, texts: list[str]) -> list[Any]:
        """Wait for the records of some texts.

        Parameters
        ----------
        texts : list of str, length n

        Returns
        -------
        list, length n

        Raises
        ------
        QueueFull
            If more than `max_queue` texts would wait or run.
        """
        if self.pending + len(texts) > self.max_queue:
            raise QueueFull
        self.pending += len(texts)
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((texts, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        try:
            return await future
        finally:
            self.pending -= len(texts)

    async def _work(self) -> None:
        """Run batches until nothing waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            jobs, n = [], 0
            while self._waiting and (n == 0 or n + len(self._waiting[0][0]) <= self.max_batch):
                jobs.append(self._waiting.popleft())
                n += len(jobs[-1][0])
            texts = [text for job, _ in jobs for text in job]
            try:
                records = await loop.run_in_executor(self._thread, self.run, texts)
            except Exception as error:
                if len(jobs) == 1:
                    _finish(jobs[0][1], error=error)
                    continue
                for job, future in jobs:  # one by one: only the guilty shall fail
                    if future.done():
                        continue
                    try:
                        _finish(future, await loop.run_in_executor(self._thread, self.run, job))
                    except Exception as own:
                        _finish(future, error=own)
                continue
            start = 0
            for job, future in jobs:
                _finish(future, records[start : start + len(job)])
                start += len(job)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown()


class Gate:
    """Stand before the application: refuse long bodies while they arrive, and count the answers.

    Parameters
    ----------
    app : ASGI application
    limit : int
        Bytes of a body; beyond, the answer is 413.
    observe : callable
        Takes status and seconds of each answer.
    """

    def __init__(self, app: ASGIApp, limit: int, observe: Callable[[int, float], None]) -> None:
        self.app, self.limit, self.observe = app, limit, observe
        self.drained = 32 * limit  # bytes that are read, and thrown away, before the line is cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body whole and within the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.observe(message["status"], time.perf_counter() - started)
            try:
                await send(message)
            except (OSError, RuntimeError) as error:  # to answer a client that has left is no fault
                if isinstance(error, RuntimeError) and "handler is closed" not in str(error):
                    raise

        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client has gone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > self.limit:
                # a client that sends all before it listens would meet a reset instead of an answer
                while more and size < self.drained:
                    message = await receive()
                    size += len(message.get("body", b""))
                    more = message.get("more_body", False)
                text = f"the body must have at most {self.limit} bytes"
                refuse = JSONResponse({"detail": text}, 413, {"Connection": "close"})
                await refuse(scope, receive, counting)
                return
        whole = b"".join(parts)
        try:
            whole.decode()
        except UnicodeDecodeError as error:
            text = f"the body must be UTF-8, but is not at byte {error.start}"
            await JSONResponse({"detail": text}, 422)(scope, receive, counting)
            return
        body: Message | None = {"type": "http.request", "body": whole}

        async def replay() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            message, body = body, None
            return message

        try:
            await self.app(scope, replay, counting)
        except Exception:  # the server answers it, out of sight of `counting`
            self.observe(500, time.perf_counter() - started)
            raise


def make_app(
    deployment: Deployment,
    *,
    limits: Limits = Limits(),
    api_key: str | None = None,
) -> FastAPI:
    """Make the ASGI application.

    Parameters
    ----------
    deployment : Deployment
    limits : Limits
    api_key : str, optional
        If given, all but health, readiness and the OpenAPI page ask for
        ``Authorization: Bearer KEY``.

    Returns
    -------
    FastAPI
    """
    registry = prometheus.CollectorRegistry()
    requests = prometheus.Counter("requests", "Requests", ["status"], registry=registry)
    labels = prometheus.Counter("decisions", "Labels decided", ["label"], registry=registry)
    seconds = prometheus.Histogram("request_seconds", "Time a request", registry=registry)
    sizes = prometheus.Histogram(
        "batch_texts", "Texts a batch", registry=registry, buckets=[2**i for i in range(10)]
    )

    def run(texts: list[str]) -> list[dict[str, Any]]:
        sizes.observe(len(texts))
        records = deployment.explain(texts)
        for record in records:
            for name in record["labels"] if "labels" in record else [record["label"]]:
                labels.labels(name).inc()
        return records

    batcher = Batcher(run, max_batch=limits.batch, max_queue=limits.queue)
    prometheus.Gauge("pending_texts", "Texts that wait or run", registry=registry).set_function(
        lambda: batcher.pending
    )
    ready = False

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal ready
        await asyncio.to_thread(deployment.explain, ["warm up"])
        ready = True
        yield
        ready = False
        batcher.close()

    app = FastAPIOffline(  # its page /docs loads nothing from elsewhere
        title="From logits to decisions",
        description=__doc__.splitlines()[0],
        lifespan=lifespan,
        redoc_url=None,
    )

    def observe(status: int, taken: float) -> None:
        requests.labels(status).inc()
        seconds.observe(taken)

    app.add_middleware(Gate, limit=limits.body, observe=observe)
    bearer = HTTPBearer(auto_error=False)

    async def authorized(
        found: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    ) -> None:
        given = found.credentials if found else ""
        if api_key is not None and not hmac.compare_digest(given.encode(), api_key.encode()):
            raise HTTPException(
                401, "expected the header Authorization: Bearer KEY", {"WWW-Authenticate": "Bearer"}
            )

    def readable(text: str) -> str:
        if is_blank(text):
            raise ValueError("a text must not be blank")
        return text

    Text = Annotated[
        str, Field(min_length=1, max_length=limits.characters), AfterValidator(readable)
    ]

    class Texts(BaseModel):
        """A list of texts; one text may stand without a list."""

        model_config = ConfigDict(extra="forbid", strict=True)
        texts: Annotated[
            list[Text],
            FailFast(),  # a fault for each of a million items would take seconds
            BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
            Field(min_length=1, max_length=limits.texts),
        ]

        @model_validator(mode="before")
        @classmethod
        def _few_fields(cls, value: Any) -> Any:
            if isinstance(value, dict) and len(value) > 10:
                raise ValueError("there is one field, texts")
            return value

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        """Say where and what, without the input: it may hold what JSON cannot."""
        kind = request.headers.get("content-type", "")
        if request.url.path == "/classify" and "json" not in kind.lower():
            text = f"expected the header Content-Type: application/json, got {kind or 'none'}"
            return JSONResponse({"detail": [text[:200]]}, 422)
        faults = [f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors()[:10]]
        return JSONResponse(
            {"detail": [f.encode("utf-8", "replace").decode() for f in faults]}, 422
        )

    @app.post("/classify", dependencies=[Depends(authorized)])
    async def classify(body: Texts) -> Response:
        """Decide one text or many; `results` are in the order of the texts."""
        try:
            records = await batcher.submit(body.texts)
        except QueueFull:
            raise HTTPException(429, "too many texts wait", {"Retry-After": "1"}) from None
        except asyncio.CancelledError:  # the time to finish, after a stop, is over
            raise HTTPException(503, "the service stops", {"Retry-After": "5"}) from None
        except ValueError as error:  # what was sent cannot be decided
            raise HTTPException(422, str(error)) from None
        return JSONResponse({"results": records})

    @app.get("/decision", dependencies=[Depends(authorized)])
    async def decision() -> dict[str, Any]:
        """Show the decision file."""
        return deployment.decision.to_dict()

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Answer as long as the process runs."""
        return {"status": "ok"}

    @app.get("/ready")
    async def readiness() -> JSONResponse:
        """Answer 200 once the network has decided a first text."""
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    @app.get("/metrics", dependencies=[Depends(authorized)])
    async def metrics() -> Response:
        """Give counters and histograms for Prometheus."""
        return Response(
            prometheus.generate_latest(registry), media_type=prometheus.CONTENT_TYPE_LATEST
        )

    return app


def serve(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    api_key: str | None = None,
    limits: Limits = Limits(),
) -> None:
    """Serve a saved folder until the process is asked to stop.

    SIGTERM or Ctrl-C end it: what was accepted is answered first. Texts are not logged.

    Parameters
    ----------
    folder : path
    host : str
        The loopback address by default: reachable from this machine alone.
    port : int
    api_key : str, optional
    limits : Limits
    """
    import uvicorn

    with socket.create_server((host, port), family=_family(host)):
        pass  # a port that is taken is an error here, in one line, before the network is loaded
    warnings.filterwarnings("ignore", message=r"\d+ of \d+ texts were truncated")
    app = make_app(load(folder), limits=limits, api_key=api_key)
    print(f"ask it: {first_request(host, port, with_key=api_key is not None)}", flush=True)
    uvicorn.run(app, host=host, port=port, access_log=False, timeout_graceful_shutdown=300)


def first_request(host: str, port: int, *, with_key: bool = False) -> str:
    """Write a command that asks a service for a decision, to copy into a shell.

    Parameters
    ----------
    host : str
        As for `serve`; one that means every address of this machine is asked on the loopback.
    port : int
    with_key : bool, default False
        Whether the service wants a key; ``KEY`` stands for it.

    Returns
    -------
    str
    """
    at = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    address = f"http://{f'[{at}]' if ':' in at else at}:{port}/classify"
    key = "-H 'Authorization: Bearer KEY' " if with_key else ""
    body = json.dumps({"texts": ["A first message."]})
    return f"curl {address} {key}-H 'Content-Type: application/json' -d '{body}'"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
