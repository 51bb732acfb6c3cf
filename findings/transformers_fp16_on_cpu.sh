#!/usr/bin/env bash
# transformers: fp16=True on a CPU trains in fp32, and says fp16.
#
# Packages: torch 2.13.0, transformers 5.23.0, accelerate 1.15.0, numpy 2.4.6.
# Guessed: an error, as accelerate raises for fp16 on other devices without it; or layers in fp16, as
# bf16=True gives layers in bf16 on the same CPU.
# Seen: no error, no warning. args.fp16 and the accelerator's mixed_precision say fp16, layers
# compute in float32, there is no scaler of the loss, and the losses are those of fp32.
#
#   fp32: layers in float32, mixed_precision no
#   bf16: layers in bfloat16, mixed_precision bf16
#   fp16: layers in float32, mixed_precision fp16, scaler None
#   losses of fp16 and fp32 equal: True, of bf16 and fp32: False
#   warnings: 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile torch==2.13.0 transformers==5.23.0 \
    accelerate==1.15.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'END'
import warnings

import torch
import transformers
from accelerate.state import AcceleratorState

transformers.logging.disable_progress_bar()
config = transformers.BertConfig(
    vocab_size=50,
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=32,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
rows = [
    {"input_ids": [2, 5 + i % 40, 3], "attention_mask": [1, 1, 1], "labels": i % 2}
    for i in range(32)
]


def train(**dtype):
    AcceleratorState._reset_state(reset_partial_state=True)
    transformers.set_seed(0)
    model = transformers.BertForSequenceClassification(config)
    seen = set()
    layer = model.bert.encoder.layer[0].intermediate.dense
    layer.register_forward_hook(lambda *got: seen.add(str(got[2].dtype).removeprefix("torch.")))
    arguments = transformers.TrainingArguments(
        output_dir="out",
        use_cpu=True,
        num_train_epochs=2,
        learning_rate=1e-2,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **dtype,
    )
    trainer = transformers.Trainer(model=model, args=arguments, train_dataset=rows)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    accelerator = trainer.accelerator
    return seen, accelerator.mixed_precision, accelerator.scaler, losses


with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    found = {"fp32": train(), "bf16": train(bf16=True)}
    warned.clear()
    found["fp16"] = train(fp16=True)
n = len(warned)
for name, (seen, precision, scaler, _) in found.items():
    (dtype,) = seen
    more = f", scaler {scaler}" if name == "fp16" else ""
    print(f"{name}: layers in {dtype}, mixed_precision {precision}{more}")
same = {name: found[name][3] == found["fp32"][3] for name in ("fp16", "bf16")}
print(f"losses of fp16 and fp32 equal: {same['fp16']}, of bf16 and fp32: {same['bf16']}")
print("warnings:", n)
assert [found[name][0] for name in ("fp32", "bf16", "fp16")] == [
    {"float32"},
    {"bfloat16"},
    {"float32"},
]
assert found["fp16"][1:3] == ("fp16", None) and n == 0
assert same == {"fp16": True, "bf16": False}
END
