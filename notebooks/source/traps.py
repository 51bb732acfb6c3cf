# Traps that no lesson has room for: the gallery shows them beside those of the lessons.

# %% tags=["trap-score"]
import numpy as np

from helpers.decisions import BinaryThreshold


def wrong_record(rule, logits):  # the label is put right, the winner's score stays
    p = rule.probability(logits)[0]
    return {"label": int(rule.decide(logits)[0]), "score": max(p, 1 - p)}


def right_record(rule, logits):
    return {"label": int(rule.decide(logits)[0]), "score": rule.probability(logits)[0]}


# the check
rule = BinaryThreshold.from_threshold(0.7)
records = [right_record(rule, [z]) for z in np.linspace(-3, 3, 25)]
scores = [record["score"] for record in records]
assert np.all(np.diff(scores) > 0), "the score must rise with the logit"
assert all((r["score"] >= 0.7) == r["label"] for r in records), "label and score must agree"

# %% tags=["trap-head"]
import tempfile

import transformers

from helpers.networks import load_network
from helpers.prediction import load_tokenizer, resolve_checkpoint
from helpers.recipes import MINILM


def wrong_load(folder):  # the head is made up, and a log line says so
    return transformers.AutoModelForSequenceClassification.from_pretrained(folder)


def right_load(folder):
    return load_network(folder)[0]


# the check
sizes = {"hidden_size": 12, "num_hidden_layers": 1, "intermediate_size": 8}
with tempfile.TemporaryDirectory() as folder:
    transformers.BertModel(transformers.BertConfig(**sizes)).save_pretrained(folder)
    load_tokenizer(resolve_checkpoint(MINILM)).save_pretrained(folder)
    try:
        right_load(folder)
    except ValueError as error:
        assert "no trained classification head" in str(error)
    else:
        raise AssertionError("a head that was never trained must not answer")

# %% tags=["trap-shapes"]
import torch

bce = torch.nn.functional.binary_cross_entropy_with_logits


def wrong_loss(outputs, labels, num_items_in_batch=None):
    return bce(outputs["logits"], labels)  # (n, 1) against (n,)


def right_loss(outputs, labels, num_items_in_batch=None):  # for Trainer(compute_loss_func=...)
    logits = outputs["logits"]
    return bce(logits, labels.to(logits.dtype).view_as(logits))


# the check
logits, truth = torch.tensor([[2.0], [-1.0], [0.5]]), torch.tensor([1, 0, 1])
by_hand = -torch.sigmoid(logits[:, 0] * (2 * truth - 1)).log().mean()
try:
    loss = right_loss({"logits": logits}, truth)
except (RuntimeError, ValueError) as error:
    raise AssertionError(f"the loss cannot be computed: {error}") from None
assert torch.isclose(loss, by_hand), "the loss is the mean over the texts"

# %% tags=["trap-squeeze"]
import torch


def wrong_scores(logits):
    return [torch.sigmoid(logits).squeeze().item()]  # one text only


def right_scores(logits):
    return torch.sigmoid(logits).squeeze(-1).tolist()


# the check
for n in (1, 2, 5):
    try:
        scores = right_scores(torch.zeros(n, 1))
    except RuntimeError as error:
        raise AssertionError(f"{n} texts: {error}") from None
    assert scores == [0.5] * n, "a score a text, for one text and for many"

# %% tags=["trap-test"]
import numpy as np

from helpers.decisions import BinaryThreshold, Costs

prices = Costs(false_positive=1, false_negative=1)


def wrong_report(validation, test):  # the threshold is moved after a look at the test part
    rule = BinaryThreshold.choose(*test, costs=prices)
    return prices.of(test[1], rule.decide(test[0])).mean()


def right_report(validation, test):
    rule = BinaryThreshold.choose(*validation, costs=prices)
    return prices.of(test[1], rule.decide(test[0])).mean()


# the check
rng = np.random.default_rng(0)
coins = [[(rng.normal(size=40), rng.integers(0, 2, 40)) for _ in range(2)] for _ in range(200)]
reported = np.mean([right_report(*parts) for parts in coins])
assert abs(reported - 0.5) < 0.03, f"nothing predicts a coin, and {reported:.2f} is reported"


# %% tags=["trap-epochs"]
def wrong_epoch(validation_loss):
    return len(validation_loss) - 1  # the last of all that were planned


def right_epoch(validation_loss):
    return min(range(len(validation_loss)), key=validation_loss.__getitem__)


# the check
losses = [0.40, 0.33, 0.31, 0.32, 0.36, 0.45, 0.58]  # falls, then the network gets too sure
kept = right_epoch(losses)
assert all(losses[kept] <= loss for loss in losses), "an epoch before it was better"

# %% tags=["trap-clean"]
import numpy as np


def wrong_rows(labels):
    return labels.any(axis=1)  # texts without any label are left out


def right_rows(labels):
    return np.ones(len(labels), bool)


# the check
comments = (np.random.default_rng(0).random((1000, 10)) < 0.03).astype(int)
kept = comments[right_rows(comments)]
share, traffic = kept.any(axis=1).mean(), comments.any(axis=1).mean()
assert np.isclose(share, traffic), (
    f"{share:.0%} of the rows have a label, of the traffic {traffic:.0%}"
)

# %% tags=["trap-padding"]
from helpers.prediction import load_tokenizer, resolve_checkpoint
from helpers.recipes import MINILM

words = load_tokenizer(resolve_checkpoint(MINILM))


def wrong_batch(texts):
    return words(texts, padding="max_length", max_length=300, truncation=True)


def right_batch(texts):
    return words(texts, padding="longest", max_length=300, truncation=True)


# the check
batch = right_batch(["The bin is full.", "The lamp in front of number 4 is out."])
lengths = [sum(mask) for mask in batch["attention_mask"]]
width = len(batch["input_ids"][0])
assert width == max(lengths), f"{width} places for texts of {lengths} tokens"

# %% tags=["trap-removed"]
import tempfile

import transformers


def wrong_arguments(folder):
    return transformers.TrainingArguments(folder, evaluation_strategy="epoch")


def right_arguments(folder):
    return transformers.TrainingArguments(folder, eval_strategy="epoch")


# the check
with tempfile.TemporaryDirectory() as folder:
    try:
        strategy = right_arguments(folder).eval_strategy
    except TypeError as error:
        raise AssertionError(f"this version has another name for it: {error}") from None
assert strategy == "epoch"


# %% tags=["trap-typed"]
def wrong_sentence(found, asked):
    return "all categories were found"  # true of the run that the author looked at


def right_sentence(found, asked):
    return f"{found} of {asked} categories were found"


# the check
for found, asked in ((7, 7), (5, 7), (0, 3)):
    sentence = right_sentence(found, asked)
    assert str(found) in sentence and str(asked) in sentence, f"{found} of {asked}: {sentence!r}"

# %% tags=["trap-delete"]
import tempfile
from pathlib import Path


def wrong_read(path):
    text = path.read_text()
    path.unlink()  # tidies up what somebody else has put there
    return text


def right_read(path):
    return path.read_text()


# the check
with tempfile.TemporaryDirectory() as folder:
    table = Path(folder) / "messages.csv"
    table.write_text("text,label\n")
    once = right_read(table)
    assert table.exists() and right_read(table) == once, "a second reading must give the same"
