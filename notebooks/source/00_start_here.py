# %% [markdown]
# # 00 · Start here
#
# In ten minutes, see the whole way from a text to an action, move a threshold and watch its price, and learn how these
# lessons work.

# %% [markdown]
# **You will learn** what a logit, a probability, a rule and an action are, what a threshold does, how to work with a
# lesson, and where to find what you came for.
#
# **Before you start** you should know Python. If you came with a question, go to section 6: it names a place for each.
#
# **Time**: ten minutes. The code runs in about a minute on two CPU cores; a second time in seconds, for the network is
# kept. A GPU is not needed.
#
# Run the cells in order: click into one and press Shift and Enter.

# %% [markdown]
# ## Settings
#
# Each lesson has a cell like this one. Change a value, run everything again, and see what becomes of it.

# %% tags=["settings"]
TEXTS = 600  # @param {type: "integer"}
COST_FALSE_ALARM = 1.0  # @param {type: "number"}
COST_MISS = 20.0  # @param {type: "number"}
SEED = 0  # @param {type: "integer"}
DTYPE = "auto"  # @param ["auto", "bf16", "fp32"]

# %% [markdown]
# ## 1 · The whole in one picture
#
# A text classifier reads a **text** and gives numbers, the **logits**, one for each label. A formula turns them into
# **probabilities**. A **rule** compares those with a **threshold** and says what to do: the **action**. The network
# learns from examples. The rule is up to you, and it is what these lessons are about.
#
# Labels come in three shapes: yes or no, one of many, any of many. The logits below are made up; everything else
# is worked out from them.

# %%
import numpy as np

from helpers.probabilities import sigmoid, softmax

yes_no, one = np.array([[1.5, -0.5]]), np.array([[1.0, 0.6, -0.9]])  # a logit each label
many = np.array([[2.0, 0.3, -3.0]])
probabilities = [softmax(yes_no)[0], softmax(one)[0], sigmoid(many)[0]]
for row in probabilities:
    print(row.round(2), "sum", row.sum().round(2))

# %% [markdown]
# Of yes or no, and of one of many, the probabilities share a whole: they add up to 1 (softmax). Of any of many, each
# label has a probability of its own (sigmoid). Now the rules.

# %%
from helpers.decisions import BinaryThreshold, Costs, LabelThresholds, RejectOption

costs = Costs(false_positive=COST_FALSE_ALARM, false_negative=COST_MISS)
desks, topics = ["water", "waste", "parks"], np.array(["noise", "roads", "shops"])
urgent = BinaryThreshold.from_costs(costs)
desk = RejectOption.from_threshold(0.6, label_names=desks)
topic = LabelThresholds.from_thresholds([0.5, 0.7, 0.2], label_names=topics)
called = "call out" if urgent.decide(yes_no)[0] else "wait"
sent, tagged = desk.explain(one)[0]["label"], topics[topic.decide(many)[0] == 1]
print(f"call out from {urgent.threshold:.3f} on: {called}; desk: {sent}; topics: {tagged}")

# %% tags=["cover"]
import matplotlib.pyplot as plt

from helpers import plots

texts = "smell of gas\nin the hall", "tap drips at\nthe swings", "drills at six\nin our street"
table = {
    "text": texts,
    "network": ["BERT"] * 3,
    "logits": [" ".join(f"{z:+.1f}" for z in row[0]) for row in (yes_no, one, many)],
    "probability": [" ".join(f"{p:.2f}" for p in row) for row in probabilities],
    "rule": [
        f"yes from\n{urgent.threshold:.3f} on",
        "the largest, if\n0.6 or more",
        "each from its\nown cut on",
    ],
    "action": [called, f"send to\n{sent}", "tag as\n" + ", ".join(tagged)],
}
fig, ax = plt.subplots(figsize=(4.8, 5), layout="constrained")
plots.steps(table, ["yes or no", "one of many", "any of many"], ax=ax)
plt.show()

# %% [markdown]
# Two things are worth a second look. In the first column P(yes) is far below one half, and the action is to call out
# all the same: a missed emergency is twenty times as dear as a needless call. In the second, the largest probability
# is too small to be trusted, so a person reads the message: the label is **Other**.

# %% [markdown]
# ## 2 · Three messages, in a minute
#
# Now a real network. It reads messages to a city's service desk and finds those that need somebody within the hour.
# This cell trains it on a few hundred messages, chooses the cheapest threshold, saves both in one folder, and loads
# them again. It takes up to a minute.

# %%
from tempfile import TemporaryDirectory

from helpers.deployment import load, save
from helpers.lessons import start
from helpers.prediction import predict_logits
from helpers.training import fine_tune

begun = start("urgent", "offline", SEED, DTYPE, COST_FALSE_ALARM, COST_MISS)
recipe, task = begun.recipe, begun.task.with_fewer(TEXTS, seed=SEED)
tuned = fine_tune(task, recipe.checkpoint, recipe.settings, dtype=DTYPE)
z = predict_logits(tuned.model, tuned.tokenizer, task.validation.texts, dtype=tuned.dtype)
y = task.validation.labels
rule = BinaryThreshold.choose(z, y, costs=costs, label_names=task.label_names)
scratch = TemporaryDirectory(ignore_cleanup_errors=True)
options = {"dtype": tuned.dtype, "data": task.name}
folder = save(f"{scratch.name}/desk", tuned.model, tuned.tokenizer, rule, **options)
ready = load(folder)

# %% [markdown]
# *Predict*: which of these three messages will it call urgent? Change them to your own, if you like.

# %%
from textwrap import fill

messages = [
    "There is a strong smell of gas in the stairwell, number 12.",
    "When do you open on Saturdays?",
    "My neighbour has not opened the door since Sunday, her light is on day and night.",
]
answers = ready.pipeline()(messages)
for text, said in zip(messages, answers, strict=True):
    print(fill(text, 52))
    print(f"   P(urgent) {said['positive_probability']:.3f}: {said['label']}")

# %% [markdown]
# Right or wrong, each answer came about in the same way: the network gave a probability, and the rule compared it
# with a threshold. A network that has seen so few messages errs often. That is why it matters what an error costs.

# %% [markdown]
# ## 3 · Move the threshold
#
# Below, the same three messages at any threshold, and what it would cost a message on the validation part: messages
# with known labels that the network was not trained on. The decisions flip as the threshold passes each probability.
#
# *Predict*: a miss is as dear as twenty false alarms. Will the cheapest threshold lie below one half, or above?

# %%
from helpers.sliders import slider

p = rule.probability(z)
places = 1 / (1 + np.exp(-np.linspace(-6, 4, 101)))
decided = [(p >= place).astype(int) for place in places]
prices = [costs.of(y, said).mean() for said in decided]
columns = {"threshold": [f"{place:.3f}" for place in places]}
for i, said in enumerate(answers, start=1):
    columns[f"message {i}"] = [
        "urgent" if said["positive_probability"] >= t else "can wait" for t in places
    ]
columns["urgent ones missed"] = [int((y > said).sum()) for said in decided]
columns["false alarms"] = [int((y < said).sum()) for said in decided]
columns["price a message"] = [f"{price:.3f}" for price in prices]
slider(columns, start=60)

# %%
from helpers.exercises import claim

cheapest = places[int(np.argmin(prices))]
middle = costs.of(y, (p >= 0.5).astype(int)).mean()
print(f"cheapest at {cheapest:.3f}: {min(prices):.3f} a message; at 0.5: {middle:.3f}")
released = begun.released and TEXTS == 600
claim("the cheapest threshold is below one half", cheapest < 0.5, released=released)

# %% [markdown]
# *Answer*: below. Where a miss is dear, one says yes early, and pays with false alarms.
#
# The network has not changed while you moved the slider, and yet the desk's bill has. That is the whole idea of the
# series: choose the threshold by what mistakes cost, on messages with known labels, and report what it costs on others.

# %% [markdown]
# ## 4 · How to work with a lesson
#
# 1. **Predict.** Where you read *Predict*, say your answer aloud or write it down, before you run the next cell. A wrong
#    guess teaches most.
# 2. **Run** the cell.
# 3. **Read** what it says. In the pages in `build`, what answers a prediction is folded: click on it.
#
# A line that begins with "holds" is a claim that was checked with ten seeds. "differs here" says that it is otherwise in
# your run: you changed a setting, or the network runs on a GPU. That is no fault of yours.

# %% [markdown]
# A **trap** is a mistake that real code has made. Its cell shows the wrong way, the right way, and below the line
# `# the check` what tells them apart. Take the check with you: it is worth more than the warning.
#
# An **exercise** is a cell with `answer = ...`. Write a function in its place and run the cell. The check says "right",
# or gives a hint; for the usual mistakes it says what the mistake is. No answer does no harm: the lesson goes on. The
# solution is in the notebook of the same name in the folder `solutions`. Try it once.

# %% [markdown]
# **00.1** Write `answer(probabilities, threshold)`: for a list of probabilities, a list with 1 where the threshold is
# reached, and 0 elsewhere.

# %%
answer = ...


# solution
def answer(probabilities, threshold):
    # "Reached" holds at the threshold itself, so >= and not >.
    return [1 if p >= threshold else 0 for p in probabilities]


# check
from helpers.exercises import check

check("00.1", answer)

# %% [markdown]
# **00.2** And now a price. Write `answer(labels, decisions, false_positive, false_negative)` for two lists of 0 and 1 and
# two prices: what the mistakes cost, in all.

# %%
answer = ...


# solution
def answer(labels, decisions, false_positive, false_negative):
    # Truth comes first in a pair: (0, 1) is a false alarm, (1, 0) a miss.
    pairs = list(zip(labels, decisions, strict=True))
    return false_positive * pairs.count((0, 1)) + false_negative * pairs.count((1, 0))


# check
check("00.2", answer)

# %% [markdown]
# ## 5 · Is this machine ready?
#
# Each line below is `ok`, `warning` or `problem`, and says what to do. All lines but problems let the lessons run.

# %%
from helpers.doctor import checks

found = list(checks(quick=True))
for name, status, text in found:
    print(fill(f"{status:8} {name}: {text}", 50, subsequent_indent=" " * 9))
ready_to_go = all(status != "problem" for _, status, _ in found)

# %% [markdown]
# If there is a problem that its line does not solve, go on all the same: most lessons run with warnings.

# %% [markdown]
# ## 6 · I want to ...
#
# Each line leads to a lesson and its section.

# %% [markdown]
# **Yes or no**
#
# - answer yes only above 0.7: [[01.3]]
# - know what a threshold of 0.5 says about prices: [[01.6]]
# - find a threshold for mistakes that cost differently: [[01.5]]
# - compute a threshold from two prices: [[01.6]]
# - see what every threshold would cost: [[01.5]]

# %% [markdown]
# **Yes or no: how often, and how surely**
#
# - count false alarms and misses at any threshold: [[01.4]]
# - find nine in ten urgent ones, and promise it: [[01.8]]
# - know how much sixty positives can tell: [[01.8]]
# - train with weights for a rare class: [[01.9]]
# - let a person read what lies between two cuts: [[01.7]]

# %% [markdown]
# **Logits and probabilities**
#
# - know what the numbers are that my network gives: [[02.1]]
# - turn logits into probabilities: [[01.3]]
# - know whether to take softmax or sigmoid: [[03.1]]
# - know whether I can trust a probability: [[01.6]]
# - mend probabilities that are too sure: [[01.6]]
# - know what a confidence of 0.99 means: [[02.3]]
# - compare the scores of two networks: [[02.3]]

# %% [markdown]
# **One of many, and Other**
#
# - call a label "Other" where the network is not sure: [[02.4]]
# - know whether 0.6 is a good threshold: [[02.4]]

# %% [markdown]
# **Promises, and what is unknown**
#
# - promise that at most so many answers are wrong: [[02.5]]
# - see how many messages are answered at which risk: [[02.5]]
# - find texts that belong to no label: [[02.6]]
# - know whether to train with examples of Other: [[02.7]]
# - give two or three labels to choose from: [[02.8]]

# %% [markdown]
# **How sure**
#
# - know how many rows a promise takes: [[06.2]]
# - know why a recall that was met is not met again: [[06.3]]
# - promise recall and precision at once: [[06.4]]
# - name labels that hold the true one: [[06.5]]
# - know what a promise does not cover: [[06.6]]
# - miss at most a tenth of the labels: [[06.7]]
# - price every confusion of two labels: [[06.8]]

# %% [markdown]
# **Any of many**
#
# - set up labels of which several may hold: [[03.1]]
# - choose a threshold for each label: [[03.6]]
# - choose thresholds for labels with few examples: [[03.6]]

# %% [markdown]
# **Figures and labels of many**
#
# - know what micro-F1 and macro-F1 say: [[03.5]]
# - know whether an exact match of 28 % is good: [[03.5]]
# - pick a loss for rare labels: [[03.7]]
# - find labels in my data that may be wrong: [[03.8]]

# %% [markdown]
# **Train and report**
#
# - fine-tune a network: [[01.2]]
# - see what is inside the training: [[03.4]]
# - know when to stop training: [[03.4]]
# - know how many tokens to keep: [[03.3]]
# - know which part of the data may choose the threshold: [[01.7]]
# - tell whether one rule is better than another: [[01.7]]
# - compare a network with word counts: [[05.3]]

# %% [markdown]
# **Save and serve**
#
# - save a threshold with its network: [[04.2]]
# - know why a reloaded network decides otherwise: [[04.3]]
# - use my rule in a transformers pipeline: [[04.3]]
# - call it over HTTP: [[04.4]]
# - know how many requests a service carries: [[04.5]]
# - decide a file of a million rows: [[04.6]]

# %% [markdown]
# **Watch**
#
# - know what to do when urgent messages get rarer: [[04.7]]
# - know what has moved, and what it costs, without labels: [[04.7]]
# - know when to choose the threshold anew: [[04.8]]

# %% [markdown]
# **My own data**
#
# - look a table over before I train on it: [[05.2]]
# - find a leak, copies and wrong labels: [[05.2]]
# - train on a table of my own: [[05.4]]
# - get a saved rule with three commands: [[05.5]]
# - give a rule to a network that is fine-tuned already: [[05.6]]
# - choose a threshold for a table of scores: [[05.7]]

# %% [markdown]
# ## What to remember
#
# 1. A network gives logits; a rule makes a decision of them. They are two things.
# 2. A threshold has a price. Choose it by what mistakes cost, on messages that trained nothing.
# 3. Predict, run, read.
#
# Go on with lesson 01: [[01.1]].

# %% tags=["headline"]
{
    "cheapest threshold": round(float(cheapest), 3),
    "price there": round(float(min(prices)), 3),
    "price at 0.5": round(float(middle), 3),
}
