"""Rules decide what other servers answer: the recipes in servers/ run against stand-ins."""

import contextlib
import json
import re
import socket
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment
from helpers.decisions import BinaryThreshold
from helpers.portable.probabilities import sigmoid, softmax
from helpers.score_files import ScoreRule, decide_file, write_rule
from helpers.scores import from_probabilities
from helpers.server_scores import read_answer, scores_of_answer

SERVERS = Path(__file__).resolve().parent.parent / "servers"
NAMES = ("not urgent", "urgent")


@pytest.fixture(scope="module")
def ready(saved):
    """Load the small network: what a notebook would decide with."""
    return deployment.load(saved)


def stand_in(logits_of, names):
    """Answer as both servers do: types, order, limits and defaults."""
    app = FastAPI()

    @app.post("/predict")
    async def predict(request: Request):
        asked = await request.json()
        inputs = asked["inputs"]
        if isinstance(inputs, str):
            single, texts = True, [inputs]
        elif isinstance(inputs[0], str):  # a pair of texts, read as one
            if len(inputs) > 2:
                return JSONResponse({"error": "invalid length", "error_type": "x"}, 422)
            single, texts = True, [" ".join(inputs)]
        else:
            single, texts = False, [" ".join(one) for one in inputs]
        if len(texts) > 32:
            said = f"batch size {len(texts)} > maximum allowed batch size 32"
            return JSONResponse({"error": said, "error_type": "Validation"}, 413)
        z = logits_of(texts)
        if not asked.get("raw_scores", False):
            z = (softmax(z) if z.shape[1] > 1 else sigmoid(z)).astype(np.float32)
        found = [
            sorted(
                ({"score": float(s), "label": n} for s, n in zip(row, names, strict=True)),
                key=lambda one: -one["score"],
            )
            for row in z
        ]
        return found[0] if single else found

    @app.post("/classify")
    async def classify(request: Request):
        asked = await request.json()
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        z = logits_of(texts)
        probs = softmax(z).astype(np.float32) if asked.get("use_activation", True) else z
        data = [
            {
                "index": i,
                "label": names[int(np.argmax(row))],
                "probs": [float(p) for p in row],
                "num_classes": len(row),
            }
            for i, row in enumerate(probs)
        ]
        return {"id": "classify-1", "object": "list", "model": asked["model"], "data": data}

    return app


@contextlib.contextmanager
def served(app):
    """Run an app on a port of its own until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def server(ready):
    """Serve the small network as both servers would, in fp32."""
    with served(stand_in(ready.logits, NAMES)) as place:
        yield place


def run_recipe(page, **names):
    """Run the Python of a page as it stands; give the names that it made."""
    for code in re.findall(r"```python\n(.*?)```", (SERVERS / page).read_text("utf-8"), re.DOTALL):
        exec(code, names)
    return names


@pytest.mark.parametrize("page", ["text_embeddings_inference.md", "vllm.md"])
def test_the_recipe_decides_as_the_notebook(page, ready, server, texts, tmp_path):
    """The page's code, and the command line on its JSON, decide 80 texts as the saved folder."""
    texts = texts[:80]
    made = run_recipe(page, server=server, texts=texts, rule=ready.rule, model="desk")
    expected = ready.rule.decide(ready.logits(texts))
    assert 0 < expected.sum() < 80
    assert made["decisions"].tolist() == expected.tolist()
    (tmp_path / "new.json").write_text(json.dumps(made["answers"]))
    kept = write_rule(tmp_path / "rule.json", ScoreRule(rule=ready.rule, columns=NAMES))
    ran = CliRunner().invoke(
        command_line.app,
        ["decide", str(kept), str(tmp_path / "new.json"), str(tmp_path / "decided.csv")],
    )
    assert ran.exit_code == 0, ran.output
    lines = (tmp_path / "decided.csv").read_text().splitlines()
    assert lines[0] == "not urgent,urgent,decision"
    assert [line.split(",")[2] for line in lines[1:]] == [NAMES[k] for k in expected]


@pytest.mark.parametrize("page", ["text_embeddings_inference.md", "vllm.md"])
def test_the_pages_commands_choose_a_rule(page, tmp_path, monkeypatch):
    """The page's `choose` and `decide` run as they stand on an answer of either shape."""
    rng = np.random.default_rng(0)
    y = (rng.random(200) < 0.3).astype(int)
    z = np.c_[np.zeros(200), rng.normal(3 * y - 2)]
    answer = (
        [[{"label": "urgent", "score": b}, {"label": "wait", "score": a}] for a, b in z.tolist()]
        if page.startswith("text")
        else {"data": [{"index": i, "probs": row} for i, row in enumerate(z.tolist())]}
    )
    monkeypatch.chdir(tmp_path)
    for name in ("answers.json", "new.json"):
        Path(name).write_text(json.dumps(answer))
    np.save("labels.npy", y)
    commands = re.findall(
        r"^python -m helpers ((?:.*\\\n)*.*)", (SERVERS / page).read_text("utf-8"), re.MULTILINE
    )
    assert len(commands) == 2
    for command in commands:
        ran = CliRunner().invoke(command_line.app, command.replace("\\\n", " ").split())
        assert ran.exit_code == 0, ran.output
    decided = [line.split(",")[2] for line in Path("decided.csv").read_text().splitlines()[1:]]
    assert 60 < decided.count("urgent") < 200  # 20 to 1: more than the 30 in 100 that are


def call(server, asked):
    """Send one call to /predict."""
    return httpx.post(f"{server}/predict", json=asked).raise_for_status().json()


def test_probabilities_alone_decide_alike(ready, server, texts):
    """Without raw scores the softmax, turned back, gives the decisions of the logits."""
    texts = texts[:32]
    p = scores_of_answer(call(server, {"inputs": [[text] for text in texts]}), NAMES)
    assert np.allclose(p.sum(axis=1), 1, atol=1e-6)
    with pytest.raises(ValueError, match="expected logits, got rows of probabilities"):
        ready.rule.decide(p.round(7))
    turned = from_probabilities(p, kind="binary")
    assert ready.rule.decide(turned).tolist() == ready.rule.decide(ready.logits(texts)).tolist()


def test_two_texts_in_one_list_are_one_pair(server):
    """The page's warning is true of the stand-in: two strings in a list get one answer."""
    answer = call(server, {"inputs": ["one", "two"], "raw_scores": True})
    assert scores_of_answer(answer, NAMES).shape == (1, 2)


def test_a_softmax_over_many_labels_cannot_be_turned_back():
    """Two rows of many-label logits that differ in all labels alike have one softmax."""
    z = np.array([[2.0, 1.0, -3.0], [-1.0, -2.0, -6.0]])
    assert np.allclose(softmax(z)[0], softmax(z)[1])
    assert (sigmoid(z[0]) > 0.5).sum() == 2 and (sigmoid(z[1]) > 0.5).sum() == 0


def test_the_pages_say_truly_where_rounding_ends():
    """In float32 a probability is 1 above a logit of about 16, in bf16 from about 6."""
    z = torch.tensor([15.0, 17.0, 6.0, 6.5])
    assert (z.sigmoid() == 1).tolist() == [False, True, False, False]
    assert (z.sigmoid().bfloat16() == 1).tolist() == [True, True, False, True]


def test_the_order_of_labels_and_texts_does_not_matter():
    """TEI's labels go by name and vLLM's texts by index; batches follow each other."""
    a, b = {"label": "a", "score": 1}, {"label": "b", "score": 2.5}
    assert scores_of_answer([[a, b], [b, a]], ["b", "a"]).tolist() == [[2.5, 1], [2.5, 1]]
    first = {"index": 0, "label": "b", "probs": [1, 2.5], "num_classes": 2}
    last = {"index": 1, "label": None, "probs": [3, 0], "num_classes": 2}
    whole = [{"data": [last, first]}, {"data": [first]}]
    assert scores_of_answer(whole, ["a", "b"]).tolist() == [[1, 2.5], [3, 0], [1, 2.5]]


ONE = {"index": 0, "label": "a", "probs": [2.0, 1.0]}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"error": "Model is overloaded", "error_type": "overloaded"}, "answered an error: .*over"),
        ({"message": "no such model", "code": 404}, "answered an error: .*no such model"),
        ({"detail": "Not Found"}, "answered an error: .*Not Found"),
        ({"a": 1}, 'expected what Text Embeddings Inference .* got .{"a": 1}. for text 1'),
        ([], "expected what Text Embeddings Inference .* got \\[\\]"),
        ("text", 'got "text"'),
        ([[1.0, 2.0]], "got \\[1.0, 2.0\\] for text 1"),
        ([[{"label": "a", "score": 1}, {"label": "a", "score": 2}]], "two scores have one label"),
        ([[{"label": "a", "score": 1}]], 'scores are \\["a", "b"\\], the server\'s \\["a"\\]'),
        (
            [[{"label": "a", "score": None}, {"label": "b", "score": 1}]],
            "text 1: the score of a must be a finite number, got None",
        ),
        ({"data": []}, "got data \\[\\]"),
        ({"data": [{"embedding": [1.0]}]}, 'got {"embedding": \\[1.0\\]}'),
        ({"data": [ONE, ONE]}, "indices 0, 1, ..., got \\[0, 0\\]"),
        ({"data": [{**ONE, "probs": [1.0]}]}, "has 2 scores .* answered 1"),
        ({"data": [{**ONE, "probs": [float("nan"), 1.0], "label": None}]}, "got nan"),
        ({"data": [{**ONE, "label": "b"}]}, "server says b, its largest .* place of a"),
    ],
)
def test_what_is_no_answer_is_named(answer, message):
    """Errors, other shapes, other labels, missing texts and another order are each said."""
    with pytest.raises(ValueError, match=message):
        scores_of_answer(answer, ["a", "b"])


def test_files_are_named(tmp_path):
    """A missing file, broken JSON and a rule in place of an answer are named, nothing written."""
    with pytest.raises(ValueError, match=r"there is no file .*none\.json"):
        read_answer(tmp_path / "none.json", ["a"])
    (tmp_path / "half.json").write_text("[[")
    with pytest.raises(ValueError, match=r"half\.json: Expecting value"):
        read_answer(tmp_path / "half.json", ["a"])
    kept = write_rule(
        tmp_path / "rule.json",
        ScoreRule(rule=BinaryThreshold.from_threshold(0.2), columns=("a", "b")),
    )
    with pytest.raises(ValueError, match=r"rule\.json: expected what Text Embeddings Inference"):
        decide_file(kept, kept, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
