"""Number formats of GPUs without bf16, as far as a CPU can run them: fp16, with its loss scaled."""

import accelerate
import numpy as np
import pytest
import torch

from helpers import prediction, training
from helpers.recipes import MINILM, Checkpoint
from tests.test_training import QUICK, few

GPU = torch.device("cuda")


@pytest.fixture
def old_gpu(monkeypatch):
    """Pretend that there is a T4, whose compute capability is 7.5."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    for module in (prediction, training):
        monkeypatch.setattr(module, "pick_device", lambda: GPU)


@pytest.fixture
def scalers(monkeypatch):
    """Have fp16 trained on the CPU as it is on a GPU; give the scalers of the loss."""
    made = []
    original = accelerate.Accelerator.__init__

    def start(self, *given, **named):
        original(self, *given, **named)
        if self.state.mixed_precision == "fp16":
            self.native_amp = True
            self.scaler = torch.amp.GradScaler("cpu")
            made.append(self.scaler)

    monkeypatch.setattr(accelerate.Accelerator, "__init__", start)
    monkeypatch.setattr(training, "_trains_in_fp16", lambda device: True)
    return made


@pytest.fixture
def small(saved):
    """Give a network that trains in a moment, as a checkpoint."""
    return Checkpoint(str(saved), "", folder=True)


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), "fp16"), ((8, 0), "bf16"), ((8, 9), "bf16")]
)
def test_a_gpu_gets_the_format_that_it_has_units_for(monkeypatch, capability, expected):
    """A T4 gets fp16 and never bf16, which it would only imitate; an A100 and an L4 get bf16."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert prediction.fast_dtype(GPU) == prediction.check_dtype("auto", GPU) == expected


def test_a_t4_is_asked_to_train_in_fp16(old_gpu, monkeypatch):
    """There the Trainer is asked for fp16 with fp32 weights, and the library's own attention."""
    asked = {}

    def stop(*, model, args, **_):
        asked.update(model=model, args=args)
        raise InterruptedError

    monkeypatch.setattr(training, "FastTrainer", stop)
    with pytest.raises(InterruptedError):
        training.fine_tune(few("urgent"), MINILM, QUICK, cache=False, progress=False)
    args, model = asked["args"], asked["model"]
    assert (args.fp16, args.bf16, args.use_cpu) == (True, False, False)
    assert args.dataloader_pin_memory and model.dtype == torch.float32
    assert model.config._attn_implementation == "sdpa"


def test_a_cpu_does_not_pretend_to_train_in_fp16(small, tmp_path, monkeypatch):
    """The library would train in fp32 without a word; that is said first, and nothing is left."""
    monkeypatch.setenv(training.CACHE_VARIABLE, str(tmp_path / "cache"))
    with pytest.raises(ValueError, match="training in fp16 needs a GPU, got cpu: take fp32 or"):
        training.fine_tune(few("topics"), small, QUICK, dtype="fp16", progress=False)
    assert not (tmp_path / "cache").exists()


def test_fp16_trains_with_a_scaled_loss(scalers, small, monkeypatch):
    """Layers compute in fp16, the loss is scaled, weights stay fp32, and logits are near fp32's."""
    seen = set()

    def load(*given):
        model = original(*given)
        layer = model.base_model.encoder.layer[0].intermediate.dense
        layer.register_forward_hook(lambda *got: seen.add(got[2].dtype) if model.training else None)
        return model

    original = training._load_model
    task = few("topics")
    wide = training.fine_tune(task, small, QUICK, dtype="fp32", cache=False, progress=False)
    monkeypatch.setattr(training, "_load_model", load)
    tuned = training.fine_tune(task, small, QUICK, dtype="fp16", cache=False, progress=False)
    (scaler,) = scalers
    assert seen == {torch.float16} and scaler.is_enabled() and scaler.get_scale() == 2.0**16
    assert {p.dtype for p in tuned.model.parameters()} == {torch.float32}
    read = {
        name: prediction.predict_logits(one.model, one.tokenizer, task.test.texts, dtype="fp32")
        for name, one in (("fp16", tuned), ("fp32", wide))
    }
    assert np.abs(read["fp16"] - read["fp32"]).max() < 0.05
    again = prediction.predict_logits(tuned.model, tuned.tokenizer, task.test.texts, dtype="fp16")
    assert again.dtype == np.float32 and 0 < np.abs(again - read["fp16"]).max() < 0.05


def test_a_gradient_that_fp16_cannot_hold_costs_one_step(scalers, small):
    """A step whose scaled gradients overflow is left out, and the scale is halved."""

    def large(logits, labels):
        losses.append(binary(logits, labels))
        return losses[-1] * (1e6 if len(losses) == 2 else 1)

    losses, binary = [], torch.nn.functional.binary_cross_entropy_with_logits
    tuned = training.fine_tune(
        few("topics"), small, QUICK, dtype="fp16", loss=large, progress=False
    )
    (scaler,) = scalers
    assert scaler.get_scale() == 2.0**15
    assert all(torch.isfinite(p).all() for p in tuned.model.parameters())
