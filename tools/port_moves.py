"""Measure what moves the logits of one network between systems, and how many decisions flip.

python -m tools.port_moves            print the table of PORTING.md
python -m tools.port_moves --write    put it into PORTING.md

The network is that of lesson 01; it is fine-tuned first, or taken from the cache. Rows of ONNX
Runtime are measured where onnx, onnxscript and onnxruntime can be imported.
"""

from __future__ import annotations

import argparse
import copy
import platform
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for python tools/port_moves.py

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from helpers.decisions import BinaryThreshold
from helpers.portable.arrays import Floats
from helpers.portable.probabilities import binary_logit, sigmoid
from helpers.prediction import predict_logits
from helpers.recipes import RECIPES, URGENT_COSTS
from helpers.score_files import ScoreRule
from helpers.scores import from_probabilities
from helpers.training import fine_tune
from tools.port_check import Ported, compared

PAGE = Path(__file__).resolve().parent.parent / "PORTING.md"
MARKS = ("<!-- moves: tools/port_moves.py writes this -->", "<!-- end of moves -->")
N = 400  # texts; of lesson 01's test part


def raw_logits(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    *,
    batch: int = 32,
    pad_to: int | None = None,
    cut: int = 128,
    keep: str = "right",
) -> Floats:
    """Read logits as a plain loop does: texts in order, padded together, cut at one end.

    Parameters
    ----------
    model, tokenizer
    texts : sequence of str, length n
    batch : int
    pad_to : int, optional
        Tokens that every batch is padded to; by default its longest text.
    cut : int
        Tokens that are kept.
    keep : "right" or "left"
        The side that is cut off.

    Returns
    -------
    ndarray of float64, shape (n, n_logits)
    """
    found = []
    side, tokenizer.truncation_side = tokenizer.truncation_side, keep
    try:
        for start in range(0, len(texts), batch):
            read = tokenizer(
                list(texts[start : start + batch]),
                truncation=True,
                max_length=cut,
                padding=True,
                return_tensors="pt",
            )
            if pad_to:
                read = tokenizer.pad(read, padding="max_length", max_length=pad_to)
            with torch.inference_mode():
                found.append(model(**read).logits.double().numpy())
    finally:
        tokenizer.truncation_side = side
    return np.concatenate(found)


def ways(
    model: Any, tokenizer: Any, texts: list[str]
) -> Iterator[tuple[str, Callable[[], Floats]]]:
    """Name the ways to get logits of the texts that a port may change, and give each."""
    plain = raw_logits(model, tokenizer, texts)
    few = texts[:100]
    yield (
        "`predict_logits` in fp32 (texts of like length share a batch)",
        lambda: predict_logits(model, tokenizer, texts, dtype="fp32"),
    )
    yield "one text at a time", lambda: raw_logits(model, tokenizer, texts, batch=1)
    yield (
        "padded to 512 (first 100 texts)",
        lambda: raw_logits(model, tokenizer, few, pad_to=512, cut=512),
    )
    yield (
        "PyTorch's fused attention (sdpa)",
        lambda: raw_logits(with_attention(model, "sdpa"), tokenizer, texts),
    )
    yield (
        "bf16 autocast, head in fp32 (`predict_logits`)",
        lambda: predict_logits(model, tokenizer, texts, dtype="bf16"),
    )
    yield (
        "all weights in bf16",
        lambda: raw_logits(copy.deepcopy(model).bfloat16(), tokenizer, texts),
    )
    yield "all weights in fp16", lambda: raw_logits(copy.deepcopy(model).half(), tokenizer, texts)
    p = sigmoid(binary_logit(plain))
    for name, kept in {
        "float32 probabilities, turned back (Keras, a server's softmax)": p.astype(np.float32),
        "probabilities with 4 digits": p.round(4),
        "probabilities with 2 digits": p.round(2),
        "probabilities in bf16": torch.tensor(p).bfloat16().double().numpy(),
    }.items():
        yield name, lambda kept=kept: from_probabilities(kept, kind="binary")
    yield (
        "cut at 16 tokens, the first are kept",
        lambda: raw_logits(model, tokenizer, texts, cut=16),
    )
    yield (
        "cut at 16 tokens, the last are kept",
        lambda: raw_logits(model, tokenizer, texts, cut=16, keep="left"),
    )


def with_attention(model: Any, kind: str) -> Any:
    """Copy a network with another form of attention."""
    other = copy.deepcopy(model)
    other.set_attn_implementation(kind)
    return other


def onnx_ways(
    model: Any, tokenizer: Any, texts: list[str]
) -> Iterator[tuple[str, Callable[[], Floats]]]:
    """Give the logits of ONNX Runtime in float32 and in int8, where it is installed."""
    try:
        import onnxruntime
        from onnxruntime.quantization import quantize_dynamic
    except ModuleNotFoundError:
        return
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder, "plain.onnx"), Path(folder, "int8.onnx")
        one = tokenizer(texts[:2], padding=True, return_tensors="pt")
        names = list(one)
        torch.onnx.export(
            with_attention(model, "eager"),
            (),
            plain,
            kwargs=dict(one),
            input_names=names,
            output_names=["logits"],
            dynamo=True,
            dynamic_shapes={
                name: {0: torch.export.Dim("rows"), 1: torch.export.Dim("tokens")} for name in names
            },
            external_data=False,
        )
        quantize_dynamic(plain, small)

        def run(path: Path, batch: int = 32) -> Floats:
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            wanted = [one.name for one in session.get_inputs()]
            found = []
            for start in range(0, len(texts), batch):
                read = tokenizer(
                    texts[start : start + batch],
                    truncation=True,
                    max_length=128,
                    padding=True,
                    return_tensors="np",
                )
                found.append(session.run(["logits"], {name: read[name] for name in wanted})[0])
            return np.concatenate(found).astype(np.float64)

        version = onnxruntime.__version__
        yield f"ONNX Runtime {version}, float32", lambda: run(plain)
        yield f"ONNX Runtime {version}, dynamic int8", lambda: run(small)
        yield (
            f"ONNX Runtime {version}, dynamic int8, one text at a time",
            lambda: run(small, batch=1),
        )


def table(model: Any, tokenizer: Any, texts: list[str], rule: BinaryThreshold) -> list[str]:
    """Measure each way, and write the lines of the table.

    Parameters
    ----------
    model, tokenizer
        A yes/no network in fp32.
    texts : list of str
    rule : BinaryThreshold

    Returns
    -------
    list of str
    """
    base = raw_logits(model, tokenizer, texts)
    lines = [
        "| what changes | largest move of the logit | median | largest of a probability | flips "
        "| 95 % interval |",
        "|---|---|---|---|---|---|",
    ]
    for source in (ways, onnx_ways):
        for name, call in source(model, tokenizer, texts):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # truncated texts, clipped probabilities
                new = np.asarray(call(), dtype=np.float64)
            lines.append(worded(name, moved(rule, base[: len(new)], new)))
    return lines


def moved(rule: BinaryThreshold, old: Floats, new: Floats) -> Ported:
    """Compare the logits of both systems, of one column or two."""
    kept = ScoreRule(rule=rule, columns=("z",))
    return compared(kept, binary_logit(old), binary_logit(new))


def worded(name: str, ported: Ported) -> str:
    """Write a line."""
    low, high = ported.interval
    return (
        f"| {name} | {ported.largest:.2g} | {ported.typical:.1g} | {ported.probability:.1g} | "
        f"{ported.flips} of {ported.n} | {low:.1%} to {high:.1%} |"
    )


def sklearn_line(task: Any) -> str:
    """Compare a scikit-learn classifier's decision values with its probabilities, turned back."""
    words = make_pipeline(CountVectorizer(binary=True), LogisticRegression(max_iter=2000))
    words.fit(task.train.texts, task.train.labels)
    z = words.decision_function(task.validation.texts)
    rule = BinaryThreshold.choose(z, task.validation.labels, costs=URGENT_COSTS)
    texts = list(task.test.texts)[:N]
    back = from_probabilities(words.predict_proba(texts), kind="binary")
    return worded(
        "scikit-learn's `predict_proba`, turned back, against `decision_function`",
        moved(rule, words.decision_function(texts), back),
    )


def processor() -> str:
    """Name the processor, and whether it computes in bf16."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    name = text.split("model name")[1].split(":", 1)[1].split("\n")[0].strip()
    with_bf16 = "avx512_bf16" in text or "amx_bf16" in text
    return f"{name}, {'with' if with_bf16 else 'without'} bf16 instructions"


def page_part() -> str:
    """Measure, and write the part of PORTING.md between the marks."""
    recipe = RECIPES["urgent", "offline"]
    task = recipe.load_task()
    tuned = fine_tune(task, recipe.checkpoint, recipe.settings, dtype="fp32", progress=False)
    model, tokenizer = with_attention(tuned.model.float(), "eager").eval(), tuned.tokenizer
    z = predict_logits(model, tokenizer, task.validation.texts, dtype="fp32")
    rule = BinaryThreshold.choose(z, task.validation.labels, costs=URGENT_COSTS)
    lines = table(model, tokenizer, list(task.test.texts)[:N], rule)
    says = (
        f"Lesson 01's network on {N} test messages, PyTorch {torch.__version__} on {processor()}; "
        f"the cut stands at a probability of {rule.threshold:.3f}."
    )
    return "\n".join([says, "", *lines, sklearn_line(task)])


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write it into PORTING.md")
    write = parser.parse_args().write
    part = page_part()
    print(part)
    if write:
        before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
        whole = f"{before}{MARKS[0]}\n\n{part}\n\n{MARKS[1]}{rest.split(MARKS[1])[1]}"
        PAGE.write_text(whole, encoding="utf-8")


if __name__ == "__main__":
    main()
