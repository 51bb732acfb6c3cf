"""A quiz for each lesson: click on an answer, and read why. Its figures are worked out here."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from helpers.decisions import Costs, RejectCosts, fewest_rows
from helpers.probabilities import prior_shift, sigmoid, softmax


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    text : str
    right : (str, str)
        The right answer, and why.
    wrong : tuple of (str, str)
        Other answers, each with the reason against it.
    """

    text: str
    right: tuple[str, str]
    wrong: tuple[tuple[str, str], ...]


def questions() -> dict[str, tuple[Question, ...]]:
    """Give the questions of each lesson.

    Returns
    -------
    dict of str to tuple of Question
        By number of the lesson.
    """
    no, yes = softmax([[3.0, 0.0]])[0]
    t5, t20 = (Costs(false_positive=1, false_negative=miss).threshold for miss in (5, 20))
    weighted = 20 * t20 / (1 - t20 + 20 * t20)
    recall = binomtest(54, 60).proportion_ci(0.95)
    chow = RejectCosts(reject=0.4, error=1.0).threshold
    none_of_30 = 1 - 0.05 ** (1 / 30)
    one, two = softmax([[4.0, -3.0, -3.0]])[0, 0], softmax([[4.0, 4.0, -3.0]])[0, 0]
    enough, one_missed = fewest_rows(0.9, 0.95), fewest_rows(0.9, 0.95, mistakes=1)
    rarer = float(sigmoid(np.array([prior_shift(old=0.08, new=0.01)]))[0])
    return {
        "00": (
            Question(
                "A network gives the logits 3 for no and 0 for yes. What is P(yes)?",
                (f"{yes:.2f}", "exp(0) / (exp(3) + exp(0)): a sure no."),
                (
                    (f"{no:.2f}", "That is P(no), the score of the label that wins."),
                    ("0", "A logit of 0 is no probability of 0; only the difference counts."),
                ),
            ),
            Question(
                "You lower the threshold from 0.5 to 0.1. What happens?",
                (
                    "Fewer misses, more false alarms",
                    "Yes is said to more messages, right or wrong.",
                ),
                (
                    ("The network gets better", "The network does not change at all."),
                    (
                        "The probabilities rise",
                        "They stay; what they are compared with has changed.",
                    ),
                ),
            ),
            Question(
                "Where does a good threshold come from?",
                ("From what mistakes cost", "On messages with known labels that trained nothing."),
                (
                    ("It is 0.5", "0.5 says that both mistakes cost the same."),
                    ("From the network's training", "Training knows nothing of your prices."),
                ),
            ),
            Question(
                'A line of a lesson reads "differs here". What have you done wrong?',
                ("Nothing", "You changed a setting, or the network runs on a GPU."),
                (
                    ("Skipped a cell", "Then a cell would stop with an error."),
                    ("Answered wrongly", "Answers get a hint; this is a claim about figures."),
                ),
            ),
        ),
        "01": (
            Question(
                "A miss costs as much as five false alarms. Where is the cut?",
                (f"{t5:.3f}", "1 / (1 + 5): there both answers cost the same."),
                (
                    (f"{1 / 5:.3f}", "A ratio of prices is a cut on the odds, not on p."),
                    (f"{1 - t5:.3f}", "The prices have changed places: this avoids false alarms."),
                ),
            ),
            Question(
                "You raise the threshold. What cannot rise?",
                ("Recall", "No message is added to those that are called urgent."),
                (
                    ("Precision", "It often rises, though not at each step."),
                    ("The cost", "It falls at first, and rises once misses outweigh alarms."),
                ),
            ),
            Question(
                "The loss was trained with a weight of 20 for positives, and a miss costs 20 false "
                "alarms. Which threshold on its probabilities?",
                (f"{weighted:.1f}", "w t / (1 − t + w t): the weight has done the work already."),
                (
                    (f"{t20:.3f}", "The prices would be counted twice."),
                    (f"{1 - t20:.3f}", "That would undo more than the weight has done."),
                ),
            ),
            Question(
                "54 of 60 urgent messages are found on validation data. Next month?",
                (
                    f"Anything from {recall.low:.0%} to {recall.high:.0%} is in keeping with that",
                    "Sixty positives say no more.",
                ),
                (
                    ("90 %", "That was this draw; another sixty would give another share."),
                    ("At least 90 %", "A promise needs a bound, and this is a point."),
                ),
            ),
            Question(
                "Which part of the data may choose the threshold?",
                ("Validation", "It has not fitted the network, and does not report."),
                (
                    ("Test", "It reports: what chose the rule cannot judge it."),
                    ("Train", "The network has seen it, and is too sure there."),
                ),
            ),
        ),
        "02": (
            Question(
                "49 classes. How small can the largest softmax be?",
                (f"{1 / 49:.3f}", "All equal: 1 / 49. Something is always the largest."),
                (
                    ("0", "They add up to 1, so one must be above 0."),
                    ("0.5", "Only with two classes."),
                ),
            ),
            Question(
                f"A threshold of {chow:.1f} for answering says what about prices?",
                ("A reject costs 0.4 of an error", "Chow's rule: t = 1 − reject / error."),
                (
                    ("A reject costs 0.6 of an error", "Then the threshold would be 0.4."),
                    ("Nothing", "Every threshold implies a price, said or not."),
                ),
            ),
            Question(
                "Two networks, both with a threshold of 0.6. Do they answer the same share?",
                (
                    "Not in general",
                    "One may be surer than the other; each needs its own threshold.",
                ),
                (
                    (
                        "Yes, 0.6 is 0.6",
                        "Logits times three keep each message's best label and change its score.",
                    ),
                    ("Yes, if they are equally accurate", "Accuracy does not fix the scale."),
                ),
            ),
            Question(
                "A text is of no known label. Its largest softmax is",
                ("high or low", "Softmax must share out the known classes; unknown is not unsure."),
                (
                    ("low", "Often, not always: an off-topic text can score high."),
                    ("near 1 / K", "Only if all logits are nearly equal."),
                ),
            ),
            Question(
                "Of 30 answers none was wrong. What risk can be excluded, with 95 %?",
                (f"Above {none_of_30:.1%}", "1 − 0.05 to the power of 1/30."),
                (
                    ("Above 0 %", "Thirty answers cannot show that."),
                    ("Above 5 %", "95 % is how sure one is, not a bound of the risk."),
                ),
            ),
        ),
        "03": (
            Question(
                "A second topic becomes true of a message. What may happen to the first one's "
                "probability?",
                (
                    "With sigmoid, nothing",
                    f"Each label is a question of its own; softmax falls from {one:.2f} to "
                    f"{two:.2f}.",
                ),
                (
                    ("It must fall", "True of softmax, where labels share a whole."),
                    ("It must rise", "Neither formula does that."),
                ),
            ),
            Question(
                "An exact match of 28 %; the most frequent set is on 40 % of the messages. Good?",
                ("No", "Saying that set every time would do better."),
                (
                    ("Yes, with 21 labels 1/21 is 5 %", "1/K is no answer that anybody can give."),
                    ("Yes, 28 % of all labels are right", "It is the share of whole sets."),
                ),
            ),
            Question(
                "A rare label is always missed. Which figure says so?",
                ("Macro-F1", "It is the mean of the labels' F1, rare ones counted like others."),
                (
                    ("Micro-F1", "It counts decisions, and a rare label has few of them."),
                    ("Exact match", "It hardly moves where few messages have the label."),
                ),
            ),
            Question(
                "The area under the ROC curve is computed on 0 and 1. What is it then?",
                ("Balanced accuracy at that cut", "The mean of recall and specificity."),
                (
                    ("The same area", "The order of the scores is lost."),
                    ("Accuracy", "Only if both classes are equally frequent."),
                ),
            ),
        ),
        "04": (
            Question(
                "A network with your threshold is saved with save_pretrained, and loaded into a "
                "pipeline. Where does it say yes?",
                ("From 0.5 on", "The likelier label wins; the threshold was not saved."),
                (
                    ("From your threshold on", "It is nowhere in the weights."),
                    ("Nowhere: it stops with an error", "It answers, without a word."),
                ),
            ),
            Question(
                "The price of a miss doubles. What must be trained?",
                ("Nothing", "The rule is one number beside the network."),
                (
                    ("The head", "It gives probabilities, and these have not changed."),
                    ("The network", "It knows nothing of prices."),
                ),
            ),
            Question(
                "Urgent messages get rarer, from 8 % to 1 %. What becomes of a probability of 0.5?",
                (f"{rarer:.2f}", "Its log-odds move by those of the two rates."),
                (
                    (f"{0.5 * 0.01 / 0.08:.3f}", "Times the ratio: that is right of odds only."),
                    ("0.5", "It was right at the old rate."),
                ),
            ),
            Question(
                "A request to the service says treshold in place of threshold. Best?",
                ("Refuse it", "Who sent it learns of it at once."),
                (
                    ("Ignore it", "Then somebody decides with another threshold, unknowing."),
                    ("Guess what was meant", "The next guess will be wrong."),
                ),
            ),
        ),
        "05": (
            Question(
                "A column tells 96 % of the labels. Good news?",
                ("Probably a leak", "Ask whether it is filled in when the network decides."),
                (
                    ("Yes, use it", "If it is written after the decision, it will be missing."),
                    ("Yes, labels can be predicted", "From themselves, perhaps."),
                ),
            ),
            Question(
                "A text stands in train and in test. What does that do?",
                ("Test figures are too good", "The network is asked what it was told."),
                (
                    ("Nothing, if labels agree", "That is just when it helps most."),
                    ("Training gets slower", "By one text."),
                ),
            ),
            Question(
                "The rule is cheaper on 91 test rows; the interval of the difference holds 0. Say?",
                ("It may be cheaper; the rows do not settle it", "Say it with the interval."),
                (
                    ("It is cheaper", "Another 91 rows could say otherwise."),
                    ("It is not cheaper", "That is not shown, either."),
                ),
            ),
            Question(
                "Why count words before a network is trained?",
                ("It is the figure to beat", "It takes a second, and is often hard to beat."),
                (
                    ("To help the network", "The network does not see the counts."),
                    ("To clean the data", "It changes no row."),
                ),
            ),
        ),
        "06": (
            Question(
                "All of n urgent messages are found. How many promise a recall of 0.9, 95 % sure?",
                (f"{enough}", f"0.9 to the power of {enough} is the first below 0.05."),
                (
                    ("10", "A recall of 0.9 finds all of ten in one case of three."),
                    (f"{one_missed}", "So many where one of them was missed."),
                ),
            ),
            Question(
                "A cut finds just 80 % on the validation rows. Will it on new messages?",
                ("About every other time", "Just met is a coin toss; a promise asks for a bound."),
                (
                    ("Yes, it was measured", "On the rows that placed it."),
                    ("Yes, with enough rows", "More rows bring the truth nearer, on either side."),
                ),
            ),
            Question(
                "Two promises, each with a confidence of 95 %. Both at once, at worst?",
                ("90 %", "Each fails in 5 of 100 cases, perhaps never in the same."),
                (
                    ("95 %", "Only if they fail together."),
                    ("99.75 %", "That is the chance that not both fail, if independent."),
                ),
            ),
            Question(
                "Sets hold the true label in 90 % of all messages. And in those of one label?",
                ("Perhaps far fewer", "The promise is about all together; by_class has one each."),
                (
                    ("90 %", "The mean of many labels is none of them."),
                    ("At least 90 %", "Some have more, so that others have less."),
                ),
            ),
            Question(
                "Urgent messages get rarer, but stay the same kind. Which promise breaks?",
                ("Precision", "Most alarms are false then."),
                (
                    ("Recall", "It asks about urgent messages only."),
                    ("Both", "Recall does not see how many there are."),
                ),
            ),
        ),
    }


def quiz(known: dict[str, str]) -> str:
    """Write all questions as HTML, without the page around them.

    Parameters
    ----------
    known : dict of str to str
        The lessons' names, by number.

    Returns
    -------
    str
    """
    rng, parts = np.random.default_rng(0), []
    for lesson, asked in questions().items():
        parts.append(f'<h2><a href="{known[lesson]}.html">Lesson {lesson}</a></h2>')
        for number, question in enumerate(asked, start=1):
            answers = [("Right.", *question.right), *(("No.", *one) for one in question.wrong)]
            choices = "".join(
                f"<details><summary>{html.escape(answers[i][1])}</summary>"
                f"<p><b>{answers[i][0]}</b> {html.escape(answers[i][2])}</p></details>"
                for i in rng.permutation(len(answers))
            )
            parts.append(
                f'<section id="q{lesson}.{number}"><p>{lesson}.{number} · '
                f"{html.escape(question.text)}</p>{choices}</section>"
            )
    return "\n".join(parts)
