"""`predict_logits` against other engines, on the corpus' messages.

How far the logits of each move is in PORTING.md: `python -m tools.port_check`.

pip install onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
python -m benchmarks.engines --threads 2
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from benchmarks.common import in_turn
from helpers.messages import corpus_task
from helpers.prediction import load_tokenizer, predict_logits, resolve_checkpoint
from helpers.recipes import MINILM

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
BATCH = 32
Batch = dict[str, NDArray[np.int64]]


def batches(tokenizer: Any, texts: list[str]) -> Iterator[tuple[list[int], Batch]]:
    """Deal texts into batches of like length, as `predict_logits` does; give their places."""
    rows = tokenizer(texts, truncation=True, max_length=128)["input_ids"]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        longest = max(len(rows[i]) for i in places)
        ids = np.zeros((len(places), longest), np.int64)
        for row, i in zip(ids, places, strict=True):
            row[: len(rows[i])] = rows[i]
        kinds = np.zeros_like(ids)
        mask = (np.arange(longest) < [[len(rows[i])] for i in places]).astype(np.int64)
        yield places, dict(zip(INPUTS, (ids, mask, kinds), strict=True))


def engines(model: Any, folder: Path, threads: int) -> dict[str, Callable[[Batch], NDArray]]:
    """Export the network, in fp32 and in dynamic int8, and load it into each engine."""
    import onnxruntime
    import openvino
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain, small = (str(folder / f"{name}.onnx") for name in ("plain", "int8"))
    example = tuple(torch.ones(2, 8, dtype=torch.long) for _ in INPUTS)
    shapes = {name: {0: "texts", 1: "tokens"} for name in INPUTS} | {"logits": {0: "texts"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            example,
            plain,
            input_names=list(INPUTS),
            output_names=["logits"],
            dynamic_axes=shapes,
            opset_version=17,
            dynamo=False,
        )
    quantize_dynamic(plain, small, weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    found: dict[str, Callable[[Batch], NDArray]] = {}
    for name, file in (("fp32", plain), ("dynamic int8", small)):
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        found[f"onnxruntime, {name}"] = lambda batch, session=session: session.run(None, batch)[0]
    core = openvino.Core()
    hints = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(plain), "CPU", hints)
    return found | {"openvino, fp32": lambda batch: compiled(batch)[0]}


def main() -> None:
    """Compare texts a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    transformers.set_seed(0)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    task = corpus_task("topics")
    texts = list(task.train.texts)[: arguments.texts]
    folder = resolve_checkpoint(MINILM)
    tokenizer = load_tokenizer(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=len(task.label_names), dtype=torch.float32, attn_implementation="eager"
    ).eval()
    with warnings.catch_warnings():  # torch says that it will move to torchao
        warnings.simplefilter("ignore")
        small = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)

    def by_torch(network: Any) -> int:
        return len(predict_logits(network, tokenizer, texts, dtype="fp32"))

    def by_engine(engine: Callable[[Batch], NDArray]) -> int:
        z = np.zeros((len(texts), len(task.label_names)), np.float32)
        for places, batch in batches(tokenizer, texts):
            z[places] = engine(batch)
        return len(z)

    sides = {
        "predict_logits, fp32": lambda: by_torch(model),
        "predict_logits, dynamic int8": lambda: by_torch(small),
    }
    with tempfile.TemporaryDirectory() as place:
        for name, engine in engines(model, Path(place), arguments.threads).items():
            sides[name] = lambda engine=engine: by_engine(engine)
        for side in sides.values():
            side()  # the first run loads kernels
        first, *rates = in_turn(sides, runs=arguments.runs).values()
    for name, rate in zip(list(sides)[1:], rates, strict=True):
        print(f"{name}: {rate / first:.2f} times fp32")


if __name__ == "__main__":
    main()
