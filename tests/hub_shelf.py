"""What stands on the tests' Hub: each real repository's layout and schema, with rows of ours.

The networks are random and tiny, with vocabularies of the real sizes; their files have the formats
of the real ones, old names of weights included. Rows are written here.
"""

from __future__ import annotations

import gzip
import io
import json
import random

import datasets
import pyarrow.parquet as pq
import safetensors.torch
import torch
import transformers
from datasets import ClassLabel, Features, List, Value

from helpers import recipes
from tests.hub_server import Repository

OTHER_WEIGHTS = ("tf_model.h5", "flax_model.msgpack", "rust_model.ot", "model.onnx")
COREML = "coreml/fill-mask/float32_model.mlpackage/Data/com.apple.CoreML"
LETTERS = "abcçdefgğhıijklmnoöpqrsştuüvwxyzäßáâãàéêíóôõúñ0123456789.,!?'-" + "".join(
    map(chr, range(0x3041, 0x3097))
)
WORDS = {
    "en": "the pump runs late again and nobody would have come if it had rained on monday",
    "de": "die lampe wäre heller gewesen hätte sie strom gehabt und das kabel war kurz",
    "ja": "もし あめ が ふった なら でんわ を かけた でしょう きょう は はれ",
    "tr": "bana yarın sabah için alarm kur ve ışığı kapat sonra müzik çal lütfen",
    "pt": "a rua ficou sem luz e ninguém veio ajudar até hoje de manhã outra vez",
    "law": "regulation of the council on the market in cereals and on aid to farmers in islands",
}


def sentence(rng: random.Random, language: str, mark: str = "") -> str:
    """Write one text: words in random order, and one that goes with its label."""
    words = WORDS[language].split()
    return " ".join([*rng.sample(words, 7), mark, str(rng.randrange(10**6))]).strip()


# Networks


def network(size: int, *, cased: bool, weights: tuple[str, ...], old: bool = False) -> dict:
    """Give the files of a pretrained BERT of one narrow layer with `size` tokens.

    `weights` are the formats it comes in; with `old` the layers' norms have the names that the
    first checkpoints had.
    """
    pieces = [c for letter in LETTERS for c in dict.fromkeys((letter, letter.upper()))]
    if not cased:
        pieces = list(LETTERS)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens = list(dict.fromkeys([*special, *pieces, *(f"##{p}" for p in pieces)]))
    tokens += [f"[unused{i}]" for i in range(size - len(tokens))]
    config = transformers.BertConfig(
        vocab_size=size,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.4,  # else all texts get the same logits but for rounding
        architectures=["BertForPreTraining"],
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = transformers.BertForPreTraining(config).state_dict()
    new, first = ("Norm.weight", "Norm.bias"), ("Norm.gamma", "Norm.beta")
    for name in list(state):
        if old and name.endswith(new):
            state[name.replace(new[0], first[0]).replace(new[1], first[1])] = state.pop(name)
    state = {name: value.clone() for name, value in state.items()}  # tied ones apart
    described = {k: v for k, v in config.to_dict().items() if k != "transformers_version"}
    files = {
        "config.json": json.dumps(described).encode(),
        "vocab.txt": "\n".join(tokens).encode(),
        "tokenizer_config.json": json.dumps({"do_lower_case": not cased}).encode(),
        "README.md": b"# a random network for tests\n",
        ".gitattributes": b"*.bin filter=lfs\n",
    }
    if "safetensors" in weights:
        files["model.safetensors"] = safetensors.torch.save(state, {"format": "pt"})
    if "bin" in weights:
        buffer = io.BytesIO()
        torch.save(state, buffer, _use_new_zipfile_serialization=not old)
        files["pytorch_model.bin"] = buffer.getvalue()
    return files | dict.fromkeys(OTHER_WEIGHTS, bytes(4096))


def networks() -> dict[tuple[str, str], Repository]:
    """Give the four checkpoints of the recipes, each in the formats that the real one has."""
    multilingual = network(105_879, cased=False, weights=("safetensors", "bin"), old=True)
    turkish = network(128_000, cased=False, weights=("safetensors", "bin"))
    portuguese = network(29_794, cased=True, weights=("bin",), old=True)
    portuguese |= {"added_tokens.json": b"{}", "special_tokens_map.json": b'{"unk_token": "[UNK]"}'}
    english = network(30_522, cased=False, weights=("safetensors", "bin"), old=True)
    english[f"{COREML}/weights/weight.bin"] = bytes(4096)
    return {
        ("models", checkpoint.repository): Repository(
            checkpoint.revision if checkpoint.pinned else "c" * 40, files
        )
        for checkpoint, files in (
            (recipes.BERT_MULTILINGUAL, multilingual),
            (recipes.BERT_TURKISH, turkish),
            (recipes.BERT_PORTUGUESE, portuguese),
            (recipes.BERT_ENGLISH, english),
        )
    }


# Data sets


def parquet(rows: dict, features: Features) -> bytes:
    """Write columns as the Hub's parquet files are written."""
    buffer = io.BytesIO()
    pq.write_table(datasets.Dataset.from_dict(rows, features=features).data.table, buffer)
    return buffer.getvalue()


def card(configurations: dict[str, dict[str, str]]) -> bytes:
    """Write a README whose head names the files of each configuration."""
    lines = ["---", "configs:"]
    for name, paths in configurations.items():
        lines += [f"- config_name: {name}", "  data_files:"]
        for split, path in paths.items():
            lines += [f"  - split: {split}", f"    path: {path}"]
    return "\n".join([*lines, "---", "# a data set for tests", ""]).encode()


def counterfactual() -> dict[str, bytes]:
    """Three languages, a yes/no label; the rarer label is `counterfactual`."""
    features = Features(
        {
            "text": Value("string"),
            "label": Value("int32"),
            "label_text": Value("string"),
        }
    )
    rng, files, head = random.Random(1), {}, {}
    for language in ("de", "en", "en-ext", "ja"):
        head[language] = {}
        for split, count in (("train", 64), ("validation", 32), ("test", 32)):
            labels = [int(i % 4 == 0) for i in range(count)]
            rows = {
                "text": [
                    sentence(rng, language[:2], "would" if label else "was") for label in labels
                ],
                "label": labels,
                "label_text": [("not-counterfactual", "counterfactual")[k] for k in labels],
            }
            files[f"{language}/{split}-00000-of-00001.parquet"] = parquet(rows, features)
            head[language][split] = f"{language}/{split}-*"
    return files | {"README.md": card(head)}


def spam() -> dict[str, bytes]:
    """One part; the text's column is `sms`."""
    features = Features({"sms": Value("string"), "label": ClassLabel(names=["ham", "spam"])})
    rng = random.Random(2)
    labels = [int(i % 5 == 0) for i in range(100)]
    rows = {
        "sms": [sentence(rng, "en", "win" if k else "") + "\n" for k in labels],
        "label": labels,
    }
    path = "plain_text/train-00000-of-00001.parquet"
    head = {"plain_text": {"train": "plain_text/train-*"}}
    return {path: parquet(rows, features), "README.md": card(head)}


INTENTS = [f"{what}_{kind}" for what in ("alarm", "music", "lists") for kind in ("set", "query")]
ALL_INTENTS = [*INTENTS, *recipes.HELD_OUT]


def massive() -> dict[str, bytes]:
    """Zipped JSON lines, one file a language and part; the labels are names."""
    rng, files, head = random.Random(3), {}, {}
    for language in ("en", "tr"):
        head[language] = {}
        for split, count in (("train", 153), ("validation", 85), ("test", 85)):
            rows = [
                {
                    "id": str(i),
                    "label": ALL_INTENTS[i % len(ALL_INTENTS)],
                    "label_text": ALL_INTENTS[i % len(ALL_INTENTS)],
                    "text": sentence(rng, language, ALL_INTENTS[i % len(ALL_INTENTS)][:5]),
                    "lang": language,
                }
                for i in range(count)
            ]
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            files[f"{split}/{language}.json.gz"] = gzip.compress(lines.encode(), mtime=0)
            head[language][split] = f"{split}/{language}.json.gz"
    return files | {"README.md": card(head)}


def toxicity(seed: int = 4) -> dict[str, bytes]:
    """Two parts, without a card; eleven columns of truths, of which one has a single example."""
    names = sorted([*recipes.TOXICITY, "religious_intolerance"])
    features = Features(
        {
            "id": Value("string"),
            "text": Value("string"),
            "is_offensive": Value("string"),
            "is_targeted": Value("string"),
            "targeted_type": Value("string"),
            "toxic_spans": List(Value("int64")),
            **{name: Value("bool") for name in names},
        }
    )
    rng, files = random.Random(seed), {}
    for split, count, mark in (
        ("train", 220, "0d8933b80051ca0e"),
        ("test", 132, "914dbee7561d2266"),
    ):
        which = [i % 11 for i in range(count)]  # 10: no label at all
        rows = {
            "id": [f"{i:032x}" for i in range(count)],
            "text": [sentence(rng, "pt", f"marca{k}") for k in which],
            "is_offensive": ["NOT" if k == 10 else "OFF" for k in which],
            "is_targeted": ["UNT" for _ in which],
            "targeted_type": [None for _ in which],
            "toxic_spans": [[] for _ in which],
            **{
                name: [  # half of all have insults, too: one label is frequent
                    k < 10 and (recipes.TOXICITY[k] == name or (name == "insult" and i % 2 == 0))
                    for i, k in enumerate(which)
                ]
                for name in names
                if name != "religious_intolerance"
            },
            "religious_intolerance": [i == 0 for i in range(count)],
        }
        files[f"data/{split}-00000-of-00001-{mark}.parquet"] = parquet(rows, features)
    return files | {"README.md": b"# a data set for tests\n"}


def laws(*, named: bool = True) -> dict[str, bytes]:
    """Long texts with lists of 21 labels; with `named` the parquet schema has their names."""
    inner = ClassLabel(names=list(recipes.EUROVOC)) if named else Value("int64")
    features = Features({"id": Value("string"), "text": Value("string"), "label": List(inner)})
    rng, files, head = random.Random(5), {}, {"en": {}}
    for split, count, mark in (
        ("train", 168, "1c8fe9eb60e41e18"),
        ("validation", 84, "e4f4b207b62a8748"),
        ("test", 84, "096c8ae2ad302e61"),
    ):
        labels = [sorted({i % 21, (i * 5 + 1) % 21, 5 * (i % 2)}) for i in range(count)]
        rows = {
            "id": [f"3{2000 + i}R{i:04}" for i in range(count)],
            "text": [
                " ".join(sentence(rng, "law", f"title{k}") for k in ks for _ in range(10))
                for ks in labels
            ],
            "label": labels,
        }
        files[f"en/{split}-00000-of-00001-{mark}.parquet"] = parquet(rows, features)
        head["en"][split] = f"en/{split}-*"
    return files | {"README.md": card(head)}


def clinc() -> dict[str, bytes]:
    """Intents and `oos`, which stands at index 42 of 151 names in the real one, here at 3 of 7."""
    names = [*INTENTS[:3], "oos", *INTENTS[3:]]
    features = Features({"text": Value("string"), "intent": ClassLabel(names=names)})
    rng, files, head = random.Random(6), {}, {}
    for size in ("imbalanced", "plus", "small"):
        head[size] = {}
        for split, count in (("train", 98), ("validation", 49), ("test", 49)):
            rows = {
                "text": [sentence(rng, "en", names[i % 7][:5]) for i in range(count)],
                "intent": [i % 7 for i in range(count)],
            }
            files[f"{size}/{split}-00000-of-00001.parquet"] = parquet(rows, features)
            head[size][split] = f"{size}/{split}-*"
    return files | {"README.md": card(head)}


MADE = {
    "mteb/amazon_counterfactual": counterfactual,
    "ucirvine/sms_spam": spam,
    "mteb/amazon_massive_intent": massive,
    "dougtrajano/olid-br": toxicity,
    "mteb/eurlex-multilingual": laws,
    "clinc/clinc_oos": clinc,
}
SOURCES = {
    "mteb/amazon_counterfactual": ("urgent", "hub"),
    "ucirvine/sms_spam": ("urgent", "hub-spam"),
    "mteb/amazon_massive_intent": ("intent", "hub"),
    "dougtrajano/olid-br": ("topics", "hub"),
    "mteb/eurlex-multilingual": ("topics", "hub-law"),
    "clinc/clinc_oos": ("intent", "hub-english"),
}


def data_sets() -> dict[tuple[str, str], Repository]:
    """Give the data sets of the recipes, at the commits that these name."""
    given = {name: recipes.RECIPES[row].load_task.keywords for name, row in SOURCES.items()}
    return {
        ("datasets", name): Repository(given[name]["revision"], make())
        for name, make in MADE.items()
    }
