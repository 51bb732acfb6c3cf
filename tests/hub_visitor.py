"""A process of its own that visits the tests' Hub: reads orders, one JSON list a line, and answers.

An answer has ``error`` (None, or what was said), ``waited`` (the seconds that the clients wanted to
sleep between attempts, which they do not do here), and ``value``.
"""

import json
import resource
import sys
import time
import warnings
from dataclasses import replace
from typing import Any


def obey(order: str, *given: Any) -> object:
    """Carry out one order."""
    from helpers import deployment, systems
    from helpers.prediction import resolve_checkpoint
    from helpers.recipes import RECIPES

    if order == "largest file":
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (given[0] or unlimited, unlimited))
        return None
    recipe = RECIPES[given[0], given[1]]
    if order == "network":
        return str(resolve_checkpoint(replace(recipe.checkpoint, package=None)))
    task = recipe.load_task()
    if order == "task":
        return [len(task.train), len(task.validation), len(task.test)]
    systems.train(task, given[2], plan=recipe, epochs=1, progress=False)
    ready = deployment.load(given[2])
    first = list(task.test.texts[:3])
    other = recipe.load_other and systems.answer_other(ready, recipe.load_other())
    return [type(ready.rule).__name__, len(ready.explain(first)), other]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    slept: list[float] = []
    time.sleep = slept.append
    answers = sys.stdout
    sys.stdout = sys.stderr  # what the libraries print is no answer
    for line in sys.stdin:
        error, value = None, None
        slept.clear()
        try:
            value = obey(*json.loads(line))
        except ValueError as caught:
            error = str(caught)
        except Exception as caught:
            error = f"{type(caught).__name__}, which is no ValueError: {caught}"
        answer = {"error": error, "waited": sum(slept), "value": value}
        print(json.dumps(answer), file=answers, flush=True)
