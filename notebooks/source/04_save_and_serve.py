# %% [markdown]
# # 04 · Save the decision, serve it, watch it
#
# Take network and rule out of the notebook together, get the same answers everywhere, and know when the rule has grown
# old.

# %% [markdown]
# **You will learn** to save a network with its rule, to reload both in a process without our helpers, to serve
# them over HTTP, to decide a file of any size, and to watch and correct a rule.
#
# **Before you start** you should know from lesson 01: logits, temperature, cut and threshold, costs, the paired
# bootstrap, validation and test part.
#
# **Time**: the core path (sections 1 to 7) takes about 55 minutes, section 8 another 8, the exercises 45. The code
# runs in a few minutes on two CPU cores, less if lesson 01 has run here, without a GPU.
#
# Run the cells in order. Where you see *Predict*, answer before you run the next cell.

# %% [markdown]
# ## Settings
#
# The same as in lesson 01, so that a network kept by lesson 01 is used again.
#
# Claims marked "holds" were checked at the settings below with ten seeds. If you change a price or a profile, a
# claim may read "differs here": that is no fault of yours.

# %% tags=["settings"]
PROFILE = "offline"  # @param ["offline", "hub"]
COST_FALSE_ALARM = 1.0  # @param {type: "number"}
COST_MISS = 20.0  # @param {type: "number"}
SEED = 0  # @param {type: "integer"}
DTYPE = "auto"  # @param ["auto", "bf16", "fp32"]

# %% [markdown]
# ## 1 · A network and its rule
#
# A city's service desk wants to know which messages are urgent. An answer "urgent" is an **alarm** (lesson 01: we
# call out); a miss costs as much as twenty false alarms. We fine-tune the network of lesson 01, fit a temperature,
# and choose the cheapest cut on the validation part.

# %%
import numpy as np

from helpers.lessons import start
from helpers.training import fine_tune

begun = start("urgent", PROFILE, SEED, DTYPE, COST_FALSE_ALARM, COST_MISS)
recipe, task, RELEASED = begun.recipe, begun.task, begun.released
print(begun)
tuned = fine_tune(task, recipe.checkpoint, recipe.settings, dtype=DTYPE)

# %% [markdown]
# `fine_tune` says in which number format it trained. We read the logits in the same one: in bf16 they differ
# a little from those in fp32, and a cut is meant for the logits that it was chosen on.

# %%
from helpers.decisions import BinaryThreshold, Costs
from helpers.prediction import predict_logits
from helpers.probabilities import fit_temperature, logit, sigmoid

dtype, max_length = tuned.dtype, recipe.settings.max_length
z_validation, z_test = (
    predict_logits(tuned.model, tuned.tokenizer, part.texts, dtype=dtype, max_length=max_length)
    for part in (task.validation, task.test)
)
y_validation, y_test = task.validation.labels, task.test.labels
costs = Costs(false_positive=COST_FALSE_ALARM, false_negative=COST_MISS)
temperature = fit_temperature(z_validation, y_validation)
options = {"costs": costs, "temperature": temperature, "label_names": task.label_names}
rule = BinaryThreshold.choose(z_validation, y_validation, **options)
print(f"{dtype}, temperature {rule.temperature:.2f}, threshold after it {rule.threshold:.4f}")
print(f"as trained, on lesson 01's scale: {sigmoid(rule.temperature * logit(rule.threshold)):.4f}")

# %% [markdown]
# That threshold is nowhere in the network. It is a number in this notebook, and when the notebook closes it is
# gone. The author of the forum question that started lesson 01 wanted to score through an API, and lost it
# in just that way.
#
# *Predict*: the network is saved with `save_pretrained`, and a colleague loads it into a plain pipeline. At
# what probability will the colleague's copy raise an alarm?

# %%
from tempfile import TemporaryDirectory

import transformers

transformers.logging.disable_progress_bar()
scratch = TemporaryDirectory(ignore_cleanup_errors=True)  # gone when the notebook ends
place = scratch.name
tuned.model.save_pretrained(f"{place}/plain")
tuned.tokenizer.save_pretrained(f"{place}/plain")
plain = transformers.pipeline("text-classification", model=f"{place}/plain", device=-1)
drawn = np.random.default_rng(SEED).choice(len(task.test), 200, replace=False)
few = [task.test.texts[i] for i in drawn]
said = np.array([r["label"] == task.label_names[1] for r in plain(few, truncation=True)])
kept = rule.decide(z_test[drawn]) == 1
print(f"alarms among 200: our rule {kept.sum()}, the reloaded copy {said.sum()}")

# %%
from textwrap import fill

urgent = y_test[drawn] == 1
print(f"of {urgent.sum()} urgent ones our rule finds {(kept & urgent).sum()}", end=", ")
print(f"the copy {(said & urgent).sum()}")
for name, alarms in {"our rule": kept, "the copy": said}.items():
    print(f"{name} costs {costs.of(y_test[drawn], alarms.astype(int)).sum():.0f} in all")
for i in np.flatnonzero(urgent & kept & ~said)[:5]:
    print(fill(f"missed by the copy alone: {few[i]}", 52, subsequent_indent="   "))

# %% [markdown]
# *Answer*: at 0.5, since it answers with the likelier label.
#
# There was no error and no warning, and the urgent messages that the copy lets pass make no noise: only the price tells.
# So the rule must travel with the weights, and a folder without it must be an error.
#
# ## 2 · Save network and rule together
#
# `save` writes one folder: beside the place first, then moved, so that a crash leaves the old folder or the new one,
# never half of each. (A network that somebody else has fine-tuned gets its rule, and
# such a folder, from `python -m helpers adopt`.) `then` keeps the validation rows: section 7 compares with them.

# %%
from helpers.deployment import save
from helpers.choosing import report_rule
from helpers.reference import make_reference

reports = {
    "Validation part": report_rule(rule, z_validation, y_validation, costs=costs, seen=True),
    "Test part": report_rule(rule, z_test, y_test, costs=costs),
}
about = {"data": task.name, "base_model": recipe.checkpoint.repository, "reports": reports}
words = {"texts": task.validation.texts, "train_texts": task.train.texts}
then = make_reference(z_validation, y_validation, **words)
options = {"dtype": dtype, "max_length": max_length, "reference": then, **about}
folder = save(f"{place}/desk", tuned.model, tuned.tokenizer, rule, **options)

# %% [markdown]
# What is in the folder? *Predict*: which of these files would you have to change if the price of a miss
# doubled?

# %%
import json

for path in sorted(folder.iterdir()):
    if path.suffix != ".py":
        print(f"{path.stat().st_size / 1e6:8.3f} MB  {path.name}")
print(f"and {len(list(folder.glob('*.py')))} files of Python")
saved = json.loads((folder / "decision.json").read_text(encoding="utf-8"))
prints = {name: f"{digest[:12]}…" for name, digest in saved["files"].items()}
saved["files"] = {name: digest for name, digest in prints.items() if not name.endswith(".py")}
saved["checksum"] = f"{saved['checksum'][:12]}…"
print(json.dumps(saved, indent=1, ensure_ascii=False))

# %% [markdown]
# *Answer*: `decision.json`, and `README.md`, which repeats it for people; nothing has to be trained.
#
# `decision.json` holds the cut on the logits *after* the temperature (raw logits are divided by it first), the
# temperature, the order of the labels, how the cut was chosen and on how many messages, the number format, and
# fingerprints of the files (printed short here, those of the code left out). The weights are **safetensors**: numbers
# only, nothing in the file can run. `.reference.npz` is `then`. `README.md` is the **model card**, in the form that
# the Hugging Face Hub shows.

# %%
from IPython.display import Markdown

card = (folder / "README.md").read_text(encoding="utf-8")
Markdown(card[card.index("## Rule and data") :].replace("## ", "### "))

# %% [markdown]
# The rule's column of the validation part is stamped as optimistic, since these rows chose the cut. `difference` is the
# cost a message against the threshold 0.5, with its 95 % interval.
#
# ## 3 · Reload, or be told why not
#
# `load` reads the folder and runs no code from it. Its answers are the rule's own records; `accepted` is True for
# an alarm.

# %%
from helpers.deployment import load

desk = load(folder)
records = desk.explain(few)
print(json.dumps(records[0], indent=1))
assert [r["accepted"] for r in records] == (rule.decide(desk.logits(few)) == 1).tolist()

# %% [markdown]
# **Trap: the plain pipeline.** Two ways to reload a saved folder. The check saves one rule that always raises an
# alarm and one that never does: their answers are known, whatever the network says. Then both read our own folder,
# and an urgent message on which they differ.

# %% tags=["trap-plain"]
from helpers.recipes import MINILM
from helpers.prediction import load_tokenizer, resolve_checkpoint

Network, Plain = transformers.BertForSequenceClassification, transformers.TextClassificationPipeline


def wrong_reload(path):
    return Plain(model=Network.from_pretrained(path), tokenizer=load_tokenizer(path))


def right_reload(path):
    return load(path).pipeline()


# the check
tiny = transformers.BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2)
parts = Network(tiny), load_tokenizer(resolve_checkpoint(MINILM))
for cut, label in (("always", "LABEL_1"), ("never", "LABEL_0")):
    fixed = BinaryThreshold(cut=cut, label_names=("LABEL_0", "LABEL_1"))
    saved_as = save(f"{place}/{cut}", *parts, fixed, dtype="fp32")
    assert right_reload(saved_as)("a text")[0]["label"] == label, "the rule was lost"

# %%
for i in np.flatnonzero(urgent & kept & ~said)[:1]:
    print(few[i])
    for reload in (wrong_reload, right_reload):
        print(f"{reload.__name__}: {reload(folder)([few[i]])[0]['label']}")

# %% [markdown]
# The plain class reads the weights and never looks at `decision.json`. Ours reads it or raises. Let us break the file
# in three ways.

# %%
file = folder / "decision.json"
sound = file.read_bytes()
newer = json.dumps({**json.loads(sound), "format_version": 9}).encode()
for name, broken in {"gone": None, "cut short": sound[:-9], "newer": newer}.items():
    file.unlink() if broken is None else file.write_bytes(broken)
    try:
        load(folder)
    except ValueError as error:
        print(fill(f"{name}: {error}".replace(place, "..."), 52))
    else:
        raise AssertionError(f"{name}: such a folder must be refused")
    finally:
        file.write_bytes(sound)

# %% [markdown]
# It stands beside weights with a fingerprint of them; other weights are refused in the same way.
#
# Now a stranger: a fresh process that is offline, has transformers and *not* our helpers. The folder carries
# its own pipeline class, and the Python files that it needs. transformers runs code from a folder only where
# `trust_remote_code=True` says that you have read it.

# %%
import os
import subprocess
import sys

stranger = """
import json, sys; sys.modules["helpers"] = None  # our package cannot be imported here
from transformers import pipeline
texts = json.load(sys.stdin)
classify = pipeline("text-classification", model=sys.argv[1], trust_remote_code=True, device=-1)
print(json.dumps(classify(texts, batch_size=16)))
"""
environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": f"{place}/modules"}
run = [sys.executable, "-c", stranger, str(folder)]
options = {"capture_output": True, "text": True, "check": True, "env": environment}
done = subprocess.run(run, input=json.dumps(few), **options)
theirs = json.loads(done.stdout.splitlines()[-1])

# %% [markdown]
# Two routes should agree in their logits, and in each decision on a message that is **clear**: further than `NEAR`
# from the cut. We ask this on the logit scale, since a difference of 0.02 is little for a probability of 0.5 and
# everything for a threshold near 0.02.

# %%
from helpers.exercises import claim

NEAR = 1e-3 if dtype == "fp32" else 0.1  # on the logit scale: a tenth more odds, or less


def differences(found):
    """Say how far apart two routes are in logits, and which messages they decide differently."""
    z, w = (logit([r["positive_probability"] for r in rows]) for rows in (records, found))
    other = [a["label"] != b["label"] for a, b in zip(records, found, strict=True)]
    return np.abs(z - w).max(), np.array(other), np.abs(z - logit(rule.threshold)) > NEAR


def same_answers(name, found):
    """Claim that two routes agree on every message but those just at the cut."""
    apart, other, clear = differences(found)
    print(f"{name}: logits within {apart:.1e},")
    print(f"{(other & clear).sum()} of {clear.sum()} clear messages decided differently")
    agree = apart <= NEAR and clear.mean() > 0.8 and not (other & clear).any()
    return claim(f"logits within {NEAR:g}, clear ones alike", agree, released=RELEASED)


# %% [markdown]
# Can the test fail? We give it our own records with the labels of the plain copy.

# %%
copied = [{**r, "label": task.label_names[int(s)]} for r, s in zip(records, said, strict=True)]
_, other, clear = differences(copied)
print(f"the copy: {(other & clear).sum()} of {clear.sum()} clear messages decided differently")
print(claim("the test finds the copy's other rule", (other & clear).any(), released=RELEASED))
print(same_answers("in the notebook, before saving", rule.explain(z_test[drawn])))
same_answers("in a fresh process", theirs)

# %% [markdown]
# A route that puts other texts into one batch pads them otherwise, so the last digits may differ, in bf16 more than in
# fp32. A decision can change only where the difference carries a message over the cut.
#
# **Trap: overriding the call.** A pipeline that somebody asked about in a forum overrode `__call__` and walked
# through the answers. That is where lists, batches and streams are handled; a **stream** is a generator that hands
# over one text at a time. A **hook** is a method that transformers calls for you at a fixed point: `postprocess`,
# once for each answer. *Predict*: what happens to a stream that never ends?


# %% tags=["trap-call"]
class wrong_pipeline(transformers.TextClassificationPipeline):
    def __call__(self, inputs, **options):
        return [{**answer, "by": "rule"} for answer in super().__call__(inputs, **options)]


class right_pipeline(transformers.TextClassificationPipeline):
    def postprocess(self, outputs, **options):
        found = super().postprocess(outputs, **options)  # a list for top_k
        for answer in found if isinstance(found, list) else [found]:
            answer["by"] = "rule"
        return found


# the check
network = transformers.BertForSequenceClassification(transformers.BertConfig(hidden_size=12))
pipe = right_pipeline(model=network, tokenizer=load_tokenizer(resolve_checkpoint(MINILM)))
stream = (text for text in ["a text"] * 100)
assert next(iter(pipe(stream)))["by"] == "rule" and next(stream, None), "read to its end"
assert all(answer["by"] == "rule" for answer in pipe(["a", "b"], top_k=None)[0])

# %% [markdown]
# Both on a stream of 100 texts: how many are still unread after the first answer? And which of the two gives all
# labels of a list (`top_k=None`)?

# %%
for kind in (wrong_pipeline, right_pipeline):
    pipe = kind(model=network, tokenizer=load_tokenizer(resolve_checkpoint(MINILM)))
    stream = (text for text in ["a text"] * 100)
    next(iter(pipe(stream)))
    print(f"{kind.__name__}: {sum(1 for _ in stream)} of 100 texts unread,")
    try:
        print(f"   {len(pipe(['a text'], top_k=None)[0])} labels for a text of a list")
    except TypeError as error:
        print(f"   for a list TypeError, {error}")

# %% [markdown]
# *Answer*: the wrong one reads a stream to its end before it gives the first answer, so it never answers.
#
# `DecisionPipeline` in `helpers/pipeline.py` overrides hooks; its `__call__` only
# answers the empty list, and hands everything else on unread.
#
# ## 4 · Write the calls, then start the service
#
# `python -m helpers serve FOLDER` answers over HTTP. A notebook must not leave a process behind, so we write a
# `with` block that stops it whatever happens. It takes a free port and listens on the loopback address: no
# other machine can reach it.

# %%
import socket
from contextlib import contextmanager


@contextmanager
def service(folder):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "helpers", "serve", str(folder), "--port", str(port)]
    with open(f"{place}/service.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield wait_until_ready(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(timeout=60)


# %% [markdown]
# Two questions are asked of a service from outside: is it alive (**health**), and can it answer yet
# (**readiness**)? It takes seconds to load a network. Ours opens its port only when the network has answered a first
# text; until then the connection is refused, and we try again.


# %%
import time
from pathlib import Path

import requests

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"  # it is our own service


def wait_until_ready(address, process):
    for _ in range(600):
        assert process.poll() is None, Path(place, "service.log").read_text()[-500:]
        try:
            if requests.get(f"{address}/ready", timeout=5).status_code == 200:
                return address
        except requests.ConnectionError:
            pass
        time.sleep(0.2)
    raise TimeoutError("not ready after two minutes")


# %% [markdown]
# Wrong calls come with every real service. *Predict* for each of these what a good service should do: answer
# anyway, say what is wrong, or break?

# %%
wrong_calls = {
    "no JSON": b"{",
    "an empty list": b'{"texts": []}',
    "a number": b'{"texts": [5]}',
    "a threshold": b'{"texts": "a", "threshold": 0.9}',
    "a misspelt one": b'{"texts": "a", "treshold": 0.9}',
    "half a character": b'{"texts": "\\ud800"}',
    "ten megabytes": b'{"texts": "' + b"a" * 10_000_000 + b'"}',
}


def try_wrong_calls(address):
    for name, body in wrong_calls.items():
        headers = {"Content-Type": "application/json"}
        found = requests.post(f"{address}/classify", data=body, headers=headers, timeout=60)
        yield name, found.status_code, found.text[:110]


# %% [markdown]
# And the question of every engineer: how many texts a second? It depends on how many texts come in one request.
# Two clients send requests of a given size, one after another, and note how long each took.

# %%
from concurrent.futures import ThreadPoolExecutor


def load_test(address, size, seconds=2.0):
    def client(number):
        session, taken, begin = requests.Session(), [], time.perf_counter()
        while time.perf_counter() - begin < seconds:
            start = (number * 97 + len(taken) * size) % (len(task.test) - size)
            started = time.perf_counter()
            body = {"texts": task.test.texts[start : start + size]}
            session.post(f"{address}/classify", json=body, timeout=60).raise_for_status()
            taken.append(time.perf_counter() - started)
        return taken, time.perf_counter() - begin

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(client, range(2)))
    rate = sum(len(taken) * size / lasted for taken, lasted in found)
    return rate, float(np.median(np.concatenate([taken for taken, _ in found])))


# %% [markdown]
# Now everything in one block. Sixteen threads send 200 messages, one text a request, all at once; then we ask the
# service for its own figures.

# %%
from functools import partial


def classify(address, text):
    found = requests.post(f"{address}/classify", json={"texts": text}, timeout=60)
    found.raise_for_status()
    return found.json()["results"][0]


sizes = [1, 4, 16, 64]
with service(folder) as address:
    with ThreadPoolExecutor(16) as pool:
        served = list(pool.map(partial(classify, address), few))
    metrics = requests.get(f"{address}/metrics", timeout=10).text
    answers = list(try_wrong_calls(address))
    measured = [load_test(address, size) for size in sizes]
same_answers("over HTTP", served)

# %%
for name, status, text in answers:
    print(f"{status} for {name}")
    print(fill(text, 52, initial_indent="   ", subsequent_indent="   "))
assert all(400 <= status < 500 for _, status, _ in answers), "a wrong call is the caller's fault"

# %% [markdown]
# *Answer*: it says what is wrong. Each call gets a **4xx** status, which says that the caller is at fault, and a
# message. A **5xx** would say that the service is.
#
# Note the fourth: the service takes no threshold, and says so; to ignore it silently would be the worst answer of all.
#
# ## 5 · What the service carries
#
# Several texts in one pass cost less than the same texts one after another, so the service lets requests share:
# whatever waits when the network is free runs together, as one **batch**. A lone request waits for nobody;
# batches grow with the load.
#
# *Predict*: sixteen clients sent 200 requests of one text. In how many batches did they run?

# %%
counts = [line for line in metrics.splitlines() if line.startswith(("batch_texts_", "decisions_"))]
print("\n".join(line for line in counts if "_created" not in line))

# %% [markdown]
# *Answer*: in as many as `batch_texts_count` says; at worst 200, had nobody waited.
#
# These are the service's own figures after the 200, in the format that **Prometheus**, a monitoring system, collects:
# how often each label was decided, and how many batches held *at most* 1, 2, 4 … texts.
#
# *Predict*: with sixteen times as many texts in a request, does a request take sixteen times as long?

# %% tags=["cover"]
from timeit import repeat

import matplotlib.pyplot as plt

from helpers import plots

# the best of three: other work on the machine only slows it
seconds = min(repeat(lambda: desk.logits(task.test.texts), number=1, repeat=3))
alone = len(task.test) / seconds
fig, axes = plt.subplots(2, 1, figsize=(4.8, 6.2), layout="constrained")
rates, medians = zip(*measured, strict=True)
for ax, values, title, unit in (
    (axes[0], rates, "Throughput", "texts a second"),
    (axes[1], [1000 * m for m in medians], "Latency", "median milliseconds a request"),
):
    ax.plot(sizes, values, "o-", color=plots.BLUE, label="over HTTP, two clients")
    ax.set(title=title, xlabel="texts a request", ylabel=unit, xscale="log")
    ax.set_xticks(sizes, [str(s) for s in sizes])
axes[0].axhline(alone, color=plots.GREY, ls=":", label="network alone, in this notebook")
axes[0].legend(frameon=False, loc="lower right")
for ax in axes:
    ax.set_ylim(0, None)
plt.show()

# %% [markdown]
# The dotted line is what the network does without any service: it sorts a thousand texts by length and pads
# almost nothing. HTTP, small batches, and the clients, who share the same processor here, cost the service time.
# A clock measured all of this: other work on this machine at one of these moments bends a curve, or lifts it above
# the line. Compare one text a request with sixteen.

# %%
one, sixteen = 1000 * medians[0], 1000 * medians[2]
print(f"a request of 1 text {one:.0f} ms, of 16 {sixteen:.0f} ms:")
print(f"{sixteen / one:.1f} times as long, for 16 times as many texts;")
print(f"texts a second: {rates[0]:.0f} by ones, {rates[2]:.0f} by sixteens")

# %% [markdown]
# If your callers have many texts at hand, let them send many, as far as the upper picture rises. If people wait for
# each answer, look at the lower picture first. And if you own the whole file, do not use HTTP at all.
#
# ## 6 · Decide a file
#
# `python -m helpers score FOLDER IN OUT` reads CSV, JSON lines or Parquet, keeps all columns and adds the
# rule's record. It holds one chunk of rows in memory, so the file may be of any size. If it is stopped at any
# point, the same command goes on where it was. In Python it is one function.

# %%
import pandas as pd

from helpers.scoring import score

inbox = pd.DataFrame({"number": range(1, 202), "text": [*few, ""]})
inbox.to_csv(f"{place}/inbox.csv", index=False)
target = Path(place) / "decided.csv"
target.unlink(missing_ok=True)  # score never overwrites
outcome = score(folder, f"{place}/inbox.csv", target, chunk=64)
print(f"{outcome.rows} decided, {outcome.bad} bad:")
print(fill(outcome.bad_file.read_text().strip(), 52))
decided = pd.read_csv(target)
decided.set_index("number").drop(columns="text").head(2).round(4).T

# %% [markdown]
# Two rows of the new file, set upright, without their texts. The empty message went to a side file with its row
# number, counted from 1, and the reason, instead of stopping the run or being guessed at.

# %%
columns = {f"decision_{name}": name for name in ("label", "positive_probability")}
same_answers("from the file", decided.rename(columns=columns).to_dict("records"))

# %% [markdown]
# One rule, four routes: notebook, fresh process, HTTP, file.
#
# ## 7 · When the world changes: the base rate
#
# The rule was chosen where about one message in twelve is urgent: the **base rate**. Suppose that the desk opens a
# web form, and harmless messages multiply, until one in a hundred is urgent. Texts of each kind
# stay what they were, P(text | label); only their shares change.
#
# *Predict*: should the threshold on the old probabilities rise or fall?

# %%
positive, negative = np.array([90.0, 9.0, 1.0]), np.array([10.0, 300.0, 590.0])
old, new = positive.sum() / 1000, 0.01  # three kinds of text, counted among 1,000 messages
p_old = positive / (positive + negative)
weight_positive, weight_negative = new / old, (1 - new) / (1 - old)
refitted = positive * weight_positive / (positive * weight_positive + negative * weight_negative)
for name, p, q in zip(("alarming", "doubtful", "harmless"), p_old, refitted, strict=True):
    print(f"{name}: P(urgent) was {p:.4f}, is now {q:.4f}")

# %% [markdown]
# *Answer*: rise. Every probability falls, so the same threshold on the *new* ones is a higher one on the old.
#
# We counted again with the new shares: a refit. By Bayes' rule the change is the same for all texts, on the
# logit scale: the new log-odds of the base rate minus the old ones (Saerens and others, 2002).
#
# **Trap: scaling the probability.** It is tempting to multiply each probability by the ratio of the base rates.


# %% tags=["trap-rate"]
from helpers.probabilities import prior_shift, sigmoid


def wrong_correction(p, old, new):
    return p * new / old


def right_correction(p, old, new):
    return sigmoid(np.log(p / (1 - p)) + prior_shift(old=old, new=new))


for name, correct in (("wrong", wrong_correction), ("right", right_correction)):
    fallen, risen = (correct(np.array([0.9, 0.03]), 0.1, rate).round(3) for rate in (0.01, 0.4))
    print(f"{name}: rate falls {fallen}, rises {risen}")

# the check
hits, others = np.array([90.0, 9.0, 1.0]), np.array([10.0, 300.0, 590.0])  # positives are 10 %
for rate in (0.01, 0.1, 0.4):
    up, down = rate / 0.1, (1 - rate) / 0.9
    recounted = hits * up / (hits * up + others * down)
    corrected = right_correction(hits / (hits + others), 0.1, rate)
    assert np.abs(corrected - recounted).max() < 1e-12, "not what counting again gives"

# %% [markdown]
# Where the model can fit every kind of text exactly, as this table does, the shift equals the refit to the last
# digit. The scaled probability is far too small for alarming texts when the rate falls; when it rises, it can
# exceed 1.
#
# A rule takes the shift by moving its cut the other way: `at_base_rate`. How much does that save at the desk?
# We weigh the test messages as if one in a hundred were urgent.

# %%
from helpers.intervals import paired_bootstrap

old, new = float(y_validation.mean()), 0.01
moved = rule.at_base_rate(old=old, new=new)
share = y_test.mean()
weight = np.where(y_test == 1, new / share, (1 - new) / (1 - share))
paid = {
    n: weight * costs.of(y_test, r.decide(z_test)) for n, r in (("old", rule), ("moved", moved))
}
print(f"threshold on the old probabilities: {rule.threshold:.4f}, moved {moved.threshold:.4f}")
print(f"cost a message: old rule {paid['old'].mean():.3f}, moved {paid['moved'].mean():.3f}")
gain = paired_bootstrap(paid["moved"], paid["old"], rng=np.random.default_rng(SEED))
print("moved minus old: {:+.3f}, 95 % interval {:+.3f} to {:+.3f}".format(*gain))
claim("the moved rule costs less: whole interval below 0", gain[2] < 0, released=RELEASED)

# %% [markdown]
# No training: one number moves. Must you label messages to know the new rate? Not if two conditions hold: **the
# probabilities are calibrated**, and **only the base rate has moved**, P(text | label) stays. Then some rate makes
# these probabilities likelier than any other does. To find it, take turns: correct the probabilities for a rate,
# take their mean as the next rate (the **EM algorithm** of Saerens and others).
#
# The first condition first. A temperature does not make the mean probability equal the share of urgent messages, and
# rare events feel that. So we add one number to all logits until it does on the validation part.

# %%
from helpers.traffic import estimate_base_rate

month = np.random.default_rng(SEED).choice(len(y_test), 3000, p=weight / weight.sum())
log_odds, bias = logit(rule.probability(z_validation)), 0.0
print(f"mean probability {sigmoid(log_odds).mean():.4f}, share {old:.4f} on validation")
for _ in range(100):
    bias += logit(old) - logit(sigmoid(log_odds + bias).mean())
p, rate = sigmoid(logit(rule.probability(z_test[month])) + bias), old
for _ in range(20_000):
    yes, no = p * rate / old, (1 - p) * (1 - rate) / (1 - old)
    rate = (yes / (yes + no)).mean()
found, low, high = estimate_base_rate(p, old=old)  # where the likelihood's slope is 0
print(f"a month, labels unseen: by EM {rate:.4f}, at once {found:.4f}")
assert abs(rate - found) < 2e-3, "EM and the root of the likelihood's slope differ"

# %% [markdown]
# With the rate each message has a corrected probability, and these add up: to the urgent messages that were found and
# missed, so to recall, precision and cost. `compare` does all of it; its intervals include the error of the validation
# labels. Here we have the labels of the month, and can look. (We drew one in a hundred; chance gave the count.)
#
# Its advice may end with "On the rows of then, labels contradict this way's ...": computed without labels on the
# validation rows, cost or recall is not what their labels show. Either the probabilities near the cut are off, or these
# rows, which chose the cut, flatter it. Only labels of *other* rows can tell.

# %%
from helpers.drift import compare


def beside_labels(z, y, rule=rule, then=then):
    """Print figures without labels beside counted ones; tell which intervals hold them."""
    found, said, held = compare(rule, then, rule.explain(z)), rule.decide(z), {}
    true = [y.mean(), costs.of(y, said).mean(), said[y == 1].mean(), y[said == 1].mean()]
    for row, counted in zip(found.figures, true, strict=False):
        span = f"{row['low']:.3f} to {row['high']:.3f}"
        print(f"{row['what']:9} {row['now']:.3f} ({span}), counted {counted:.3f}")
        held[row["what"]] = row["low"] <= counted <= row["high"]
    print(fill(found.advice, 52, break_on_hyphens=False))
    return held, {row["what"] for row in found.table if row["moved"]}


held, moved_lines = beside_labels(z_test[month], y_test[month])
print("the base rate is", "seen to move" if "base rate" in moved_lines else "not seen to move")
print("intervals that hold the count:", ", ".join(name for name, fine in held.items() if fine))

# %% [markdown]
# A rate near zero hangs on few messages: wide intervals, of which one in twenty misses. `python -m helpers watch FOLDER
# decided.csv` prints this for a file of `score`, and a **drift table**: share of alarms, new words, their change.
#
# ## 8 · Further: where both are wrong
#
# Break a condition at a time. *Calm*: the network takes three in four urgent messages for harmless (we give them
# such logits). *Strangers*: messages that have nothing to do with a city, from the corpus, come in. *Overconfident*:
# all logits, those that choose the rule too, are three times too large, as after too many epochs.
#
# *Predict* for each: will the figures be wrong, and will anything say so?

# %%
from helpers.messages import read_messages

rows = read_messages()
z_far = desk.logits(rows["text"][rows["intent"] == "other_far"].tolist())
drawing = np.random.default_rng(SEED)
calm = (y_test == 1) & (drawing.random(len(y_test)) < 0.75)
z_calm, large = z_test.copy(), [3 * z for z in (z_validation, z_test)]
z_calm[calm] = drawing.choice(z_test[y_test == 0], calm.sum())
bold = BinaryThreshold.choose(large[0], y_validation, costs=costs, label_names=task.label_names)
bold_then = make_reference(large[0], y_validation, **words)
cases = {
    "calm": (z_calm, y_test),
    "strangers": (np.concatenate([z_test, z_far]), np.append(y_test, np.zeros(len(z_far), int))),
    "overconfident": (large[1], y_test, bold, bold_then),
}

# %%
left, outcome = "distance that the base rate leaves", {}
for name, case in cases.items():
    print(name.upper())
    outcome[name] = beside_labels(*case)
for name in ("calm", "overconfident"):
    held, moved_lines = outcome[name]
    unseen = not held["recall"] and left not in moved_lines
    text = f"{name}: recall is wrong, and the scores look possible"
    print(claim(text, unseen, released=RELEASED))
seen = left in outcome["strangers"][1]
print(
    "strangers: no base rate explains the scores" if seen else "strangers: not seen by the scores"
)

# %% [markdown]
# *Answer*: calm, wrong, and nothing says so: such messages look just like a lower base rate, and who moves the rule
# without the sample that the advice asks for misses more. Overconfident, wrong, and no line on the *new* messages says
# so. Strangers mostly give themselves away, as few mixtures of old urgent and old harmless messages have such scores;
# the last line says whether they did.
#
# So watch without labels, and label a small random sample all the same, now and then, and always before a rule moves.

# %% [markdown]
# ## What to remember
#
# 1. The rule is not in the weights. Save it in the same folder, and make its absence an error.
# 2. A route is a number format, a maximal length, a rule: fix all three, and every route decides alike but for
#    messages just at the cut.
# 3. Add to an answer in `postprocess`. A `__call__` must hand its input on unread.
# 4. A wrong call gets a 4xx and a message; texts that wait share a batch.
# 5. A change of the base rate moves the cut by the difference of the log-odds, while P(text | label) stays.
# 6. Calibrated probabilities tell base rate and cost without labels, but not when they are wrong.

# %% tags=["headline"]
{
    "other decisions over HTTP": sum(
        a["label"] != b["label"] for a, b in zip(records, served, strict=True)
    ),
    "texts a second, 1 a request": round(rates[0]),
    "texts a second, 16 a request": round(rates[2]),
    "texts a second, network alone": round(alone),
    "cost at 1 %, old rule": round(float(paid["old"].mean()), 3),
    "cost at 1 %, moved rule": round(float(paid["moved"].mean()), 3),
}

# %% [markdown]
# ## Exercises
#
# Each answer is a function; solutions stand in `notebooks/solutions`.
#
# **04.1** The base rate goes from `old` to `new`. Write `answer(threshold, old, new)`: the threshold on the *old*
# probabilities that makes the decisions which `threshold` makes on the corrected ones.

# %%
answer = ...


# solution
def answer(threshold, old, new):
    # A probability at the new rate is turned back into one at the old rate, on which the
    # network was trained: so the odds of the rates stand the other way round.
    odds = threshold / (1 - threshold) * old / (1 - old) * (1 - new) / new
    return odds / (1 + odds)


# check
from helpers.exercises import check

check("04.1", answer)

# %% [markdown]
# **04.2** A request with one text takes `one` seconds, a request with n texts takes `many`. Suppose that a
# request costs a fixed overhead, plus the same time for each text. Write `answer(one, many, n)`: the pair of
# overhead and time a text. Then try it on `medians` of section 5 for 4, 16 and 64 texts: were the assumption right,
# all three pairs would be alike. Are they?

# %%
answer = ...


# solution
def answer(one, many, n):
    # Where the three pairs differ, a text does not take the same time in every batch.
    each = (many - one) / (n - 1)
    return one - each, each


for n, many in zip(sizes[1:], medians[1:], strict=True):
    overhead, each = (1000 * seconds for seconds in answer(medians[0], many, n))
    print(f"{n} texts: overhead {overhead:.1f} ms, a text {each:.1f} ms")

# check
check("04.2", answer)

# %% [markdown]
# **04.3** Requests wait, with so many texts each. Write `answer(waiting, limit)` that deals them into batches as
# the service does: in order, as long as all texts of a batch together are at most `limit`; a request with more
# runs alone. `answer([1, 9, 7, 1, 1], 8)` is `[[1], [9], [7, 1], [1]]`.

# %%
answer = ...


# solution
def answer(waiting, limit):
    # A request above the limit fits nowhere, so it begins a batch, and none can join it.
    batches = []
    for n in waiting:
        if batches and sum(batches[-1]) + n <= limit:
            batches[-1].append(n)
        else:
            batches.append([n])
    return batches


# check
check("04.3", answer)

# %% [markdown]
# **04.4** Write `answer(alarms, n, expected)`: True where the share of alarms among n messages lies more than three
# standard errors from the expected share p, on either side; the **standard error** of a share is
# sqrt(p (1 − p) / n). Ask it every day, with 1,000 messages: how often does it warn in a year in which nothing
# changes? First take the expected share as known exactly. Then draw 2,000 such years in which it was estimated, each
# from a validation part of its own: what are mean and median?

# %%
answer = ...


# solution
def answer(alarms, n, expected):
    # Known: about one a year. Estimated: the mean is far above the median.
    error = (expected * (1 - expected) / n) ** 0.5
    return abs(alarms / n - expected) > 3 * error


redrawn, known, m = np.random.default_rng(SEED), rule.decide(z_validation).mean(), len(y_validation)
seen = redrawn.binomial(m, known, (2000, 1)) / m  # a validation part for each year
days = redrawn.binomial(1000, known, (2000, 365))  # 2,000 years without a change
both = (seen * (1 - seen) * (1 / 1000 + 1 / m)) ** 0.5  # the errors of both samples
years = {"known": answer(days, 1000, known), f"from {m} messages": answer(days, 1000, seen)}
years["the same, both errors"] = abs(days / 1000 - seen) > 3 * both
print("false warnings a year, by what is known of the share")
for name, warned in years.items():
    mean, median = warned.sum(axis=1).mean(), np.median(warned.sum(axis=1))
    print(f"{name}: mean {mean:.1f}, median {median:.0f}")

# check
check("04.4", answer)

# %% [markdown]
# *Answer*: about one a year if the share is known, since 0.27 % of a normal distribution lie beyond three standard
# errors. An estimated share is off by the same amount every day: many years warn a few times, some in most weeks, so
# the mean is far above the median. The error of both samples, sqrt(p (1 − p) (1 / n + 1 / m)) with m messages behind
# the estimate, brings the mean back to about one. `compare` of section 7 counts both.

# %% [markdown]
# **04.5** On data. The log counts the alarms among 1,000 messages a day. On one of its 30 days the web form of
# section 7 opened, and from then on one message in a hundred is urgent. Which day? Write `answer(alarms)` for an
# array of daily counts, shape `(days,)`: the first day `k` (counted from 0, at least 1) after the change. It is the
# `k` for which the squared differences of the days before from their mean, plus those of the days from `k` on from
# theirs, have the least sum. Run it on `log`, then print `opened`.

# %%
hidden = np.random.default_rng(SEED + 1)
opened = int(hidden.integers(8, 23))
decisions, log = rule.decide(z_test), np.zeros(30, dtype=int)
for day in range(30):
    drawing = weight if day >= opened else np.ones(len(weight))
    log[day] = hidden.choice(decisions, 1000, p=drawing / drawing.sum()).sum()
for start_of_row in (0, 10, 20):
    print(*log[start_of_row : start_of_row + 10])

# %%
answer = ...


# solution
def answer(alarms):
    # Two means fit best where the one ends and the other begins.
    def spread(part):
        return ((part - part.mean()) ** 2).sum()

    days = range(1, len(alarms))
    return min(days, key=lambda k: spread(alarms[:k]) + spread(alarms[k:]))


print(f"found day {answer(log)}; the form opened on day {opened}")

# check
check("04.5", answer)

# %% [markdown]
# ## References
#
# - M. Saerens, P. Latinne, C. Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
#   probabilities, Neural Computation 14.
# - C. Elkan (2001), The foundations of cost-sensitive learning, IJCAI.
# - M. Mitchell and others (2019), Model cards for model reporting, FAT*.

# %%
import fastapi
import torch

for module in (torch, transformers, fastapi, np):
    print(module.__name__, module.__version__)
