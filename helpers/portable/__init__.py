"""What travels inside a saved folder: the rules, what they need, and the pipeline.

The files import each other relatively and one way, and nothing else of this package:
checks <- arrays <- chance <- probabilities, costs, rule <- search <- binary, labels, reject
<- decisions <- pipeline.
All but the pipeline need numpy alone.
"""
