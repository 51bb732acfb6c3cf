"""A network that somebody has fine-tuned gets a rule; all routes then decide alike."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
import transformers as hf
from fastapi.testclient import TestClient
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from typer.testing import CliRunner

from helpers import __main__ as command_line
from helpers import deployment
from helpers.adoption import adopt, check_order
from helpers.networks import load_network, make_batchable
from helpers.prediction import predict_logits
from helpers.scoring import score
from helpers.serving import make_app

WORDS = "a the my our street road bin lamp leak tax form late open full broken please now".split()
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
COMMON = {
    "vocab_size": len(SPECIAL) + len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
    "initializer_range": 0.6,  # logits that spread
    "pad_token_id": 0,
}
RELATIVE = {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c"]}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
GPT2 = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}
SEP = {"bos_token_id": 2, "cls_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}
CONFIGS = {
    "BERT": (hf.BertConfig, {}),
    "RoBERTa": (hf.RobertaConfig, {}),
    "XLM-R": (hf.XLMRobertaConfig, {}),
    "DistilBERT": (hf.DistilBertConfig, DISTIL),
    "DeBERTa-v2": (hf.DebertaV2Config, RELATIVE),
    "ModernBERT": (hf.ModernBertConfig, SEP),
    "ELECTRA": (hf.ElectraConfig, {"embedding_size": 16}),
    "GPT-2": (hf.GPT2Config, {**GPT2, "pad_token_id": None}),
    "Llama": (hf.LlamaConfig, {"pad_token_id": None}),
}
# each head: names of its logits, its problem_type, and the kind of the rule
HEADS = {
    "two": (("wait", "urgent"), "single_label_classification", "binary"),
    "one": (("urgent",), None, "binary"),
    "many classes": (("bin", "lamp", "tax"), None, "multiclass"),
    "many labels": (("bin", "lamp", "tax"), "multi_label_classification", "multilabel"),
}


def make_tokenizer(*, pads=True):
    """Make a tokenizer of a few words."""
    vocabulary = {word: k for k, word in enumerate((*SPECIAL, *WORDS))}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    if pads:
        inner.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    names |= {"pad_token": "[PAD]"} if pads else {"eos_token": "[SEP]"}
    return hf.PreTrainedTokenizerFast(tokenizer_object=inner, **names)


def make_network(folder, architecture="BERT", head="two", *, seed=0, **changes):
    """Save a random network with its tokenizer, as somebody else would."""
    names, problem, _ = HEADS[head]
    make, options = CONFIGS[architecture]
    options = {**COMMON, **options, "problem_type": problem, **changes}
    options.setdefault("id2label", dict(enumerate(names)))
    options["label2id"] = {name: k for k, name in options["id2label"].items()}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = hf.AutoModelForSequenceClassification.from_config(make(**options)).eval()
    model.save_pretrained(folder)
    make_tokenizer(pads=options["pad_token_id"] is not None).save_pretrained(folder)
    return folder


def make_texts(n=60, seed=0):
    """Draw texts of 1 to 20 words."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 21))) for _ in range(n)]


def plain_logits(folder, texts):
    """Compute the logits of each text alone, with transformers and nothing else."""
    model = hf.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        rows = [model(**tokenizer(text, return_tensors="pt")).logits for text in texts]
    return torch.cat(rows).numpy()


def make_table(path, folder, head="two", *, flips=0.1):
    """Label texts as the network would, but for a few, and write them as a table."""
    texts, rng = make_texts(), np.random.default_rng(1)
    z = plain_logits(folder, texts)
    names, _, kind = HEADS[head]
    if kind == "multiclass":
        truth = (z - np.median(z, axis=0)).argmax(axis=1)
        truth = np.where(rng.random(len(z)) < flips, rng.integers(0, 3, len(z)), truth)
        columns = {"label": [names[k] for k in truth]}
    else:
        margin = z if kind == "multilabel" else z[:, -1:] - (z[:, :1] if z.shape[1] == 2 else 0)
        truth = (margin > np.median(margin, axis=0)) ^ (rng.random(margin.shape) < flips)
        columns = (
            {name: truth[:, k].astype(int) for k, name in enumerate(names)}
            if kind == "multilabel"
            else {"label": np.where(truth[:, 0], "urgent", "wait")}
        )
    pd.DataFrame({"text": texts, **columns}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("architecture", CONFIGS)
def test_all_routes_decide_alike(tmp_path, architecture, head):
    """Notebook, pipeline, service and file give the decisions of the rule on the plain logits."""
    network = make_network(tmp_path / "theirs", architecture, head)
    table = make_table(tmp_path / "rows.csv", network, head)
    columns = HEADS[head][0] if HEADS[head][2] == "multilabel" else ("label",)
    adopted = adopt(network, table, tmp_path / "mine", labels=columns)
    rule, texts = adopted.ready.rule, make_texts(40, seed=2)
    plain = plain_logits(network, texts)
    assert np.allclose(adopted.ready.logits(texts), plain, rtol=1e-4, atol=1e-4)

    key = "labels" if HEADS[head][2] == "multilabel" else "label"
    expected = [record[key] for record in rule.explain(plain)]
    assert [record[key] for record in adopted.ready.explain(texts)] == expected
    pipe = hf.pipeline(
        "text-classification", model=str(tmp_path / "mine"), trust_remote_code=True, device=-1
    )
    assert [record[key] for record in pipe(texts, batch_size=8)] == expected
    with TestClient(make_app(deployment.load(tmp_path / "mine"))) as client:
        answers = client.post("/classify", json={"texts": texts}).json()["results"]
    assert [record[key] for record in answers] == expected
    pd.DataFrame({"text": texts}).to_json(tmp_path / "in.jsonl", orient="records", lines=True)
    score(tmp_path / "mine", tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    written = pd.read_json(tmp_path / "out.jsonl", lines=True)
    assert written[key].tolist() == expected
