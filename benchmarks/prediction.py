"""`predict_logits` against the transformers pipeline, on the corpus' test messages.

python -m benchmarks.prediction
"""

from __future__ import annotations

import numpy as np
import transformers

from benchmarks.common import in_turn
from helpers.messages import corpus_task
from helpers.prediction import fast_dtype, predict_logits, resolve_checkpoint
from helpers.recipes import MINILM


def main() -> None:
    """Compare texts a second, and the labels."""
    texts = list(corpus_task("urgent").test.texts)[:600]
    folder = resolve_checkpoint(MINILM)
    transformers.set_seed(0)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)
    pipe = transformers.pipeline("text-classification", model=model.eval(), tokenizer=tokenizer)
    answers: dict[str, np.ndarray] = {}

    def by_pipeline(name: str, n: int, **options) -> int:
        found = pipe(texts[:n], truncation=True, **options)
        answers[name] = np.array([model.config.label2id[one["label"]] for one in found])
        return n

    def by_helper(name: str, dtype: str) -> int:
        answers[name] = predict_logits(model, tokenizer, texts, dtype=dtype).argmax(axis=1)
        return len(texts)

    sides = {
        "pipeline as it comes (200 texts)": lambda: by_pipeline("plain", 200),
        "pipeline, batch_size=32": lambda: by_pipeline("batched", len(texts), batch_size=32),
        "predict_logits, fp32": lambda: by_helper("fp32", "fp32"),
    }
    if fast_dtype() == "bf16":
        sides["predict_logits, bf16"] = lambda: by_helper("bf16", "bf16")
    plain, batched, *ours = in_turn(sides).values()
    for name, rate in zip(("fp32", "bf16"), ours, strict=False):
        agree = np.mean(answers[name] == answers["batched"])
        print(
            f"{name}: {rate / plain:.1f} times the pipeline as it comes, {rate / batched:.1f} "
            f"times batch_size=32; {agree:.1%} of the labels agree"
        )


if __name__ == "__main__":
    main()
