"""A small network with its rule, saved once, for the tests of all that serves it."""

import pytest
import torch
import transformers

from helpers import deployment
from helpers.decisions import BinaryThreshold
from helpers.messages import corpus_task
from helpers.prediction import load_tokenizer, resolve_checkpoint
from helpers.recipes import MINILM

NAMES = ("not urgent", "urgent")
RULE = BinaryThreshold(cut=2.5, temperature=1.3, label_names=NAMES)  # near the median logit


def small_model(n_logits=2, names=NAMES):
    """Make a random network of one layer whose logits spread over several units."""
    transformers.set_seed(0)
    problem = "multi_label_classification" if n_logits == 1 else "single_label_classification"
    config = transformers.BertConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
        problem_type=problem,
        initializer_range=0.4,
    )
    return transformers.BertForSequenceClassification(config).eval()


@pytest.fixture(scope="session")
def tokenizer():
    """Load the real tokenizer."""
    return load_tokenizer(resolve_checkpoint(MINILM))


@pytest.fixture(scope="session")
def texts():
    """Take 200 real messages."""
    return list(corpus_task("urgent").test.texts[:200])


@pytest.fixture(scope="session")
def saved(tmp_path_factory, tokenizer):
    """Save the small network with a rule in fp32."""
    folder = tmp_path_factory.mktemp("saved") / "desk"
    with torch.random.fork_rng():
        model = small_model()
    return deployment.save(folder, model, tokenizer, RULE, dtype="fp32", data="a test")
