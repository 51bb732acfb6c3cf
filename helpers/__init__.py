"""Turn a transformer's logits into decisions: the code behind the lessons.

Import what you need from its module (``from helpers.decisions import BinaryThreshold``); nothing is
loaded here, so that ``import helpers`` costs next to nothing.
"""
