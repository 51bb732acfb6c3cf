"""The rules and their costs, under the name to import them by; they live in `portable`."""

from helpers.portable.arrays import check_label_logits, check_label_matrix, check_labels_or_other
from helpers.portable.binary import BinaryThreshold
from helpers.portable.cost_matrix import CostMatrix
from helpers.portable.costs import Costs, RejectCosts, check_costs
from helpers.portable.decisions import Rule, rule_from_dict
from helpers.portable.expected_cost import MinimumExpectedCost
from helpers.portable.labels import LabelThresholds
from helpers.portable.promises import fewest_rows, highest_confidence, highest_floor
from helpers.portable.reject import RejectOption
from helpers.portable.review import ReviewBand
from helpers.portable.rule import FORMAT_VERSION, fingerprint, label_fingerprint
from helpers.portable.sets import PredictionSets
from helpers.portable.unknown import choose_unknown_cut

__all__ = [
    "FORMAT_VERSION",
    "BinaryThreshold",
    "CostMatrix",
    "Costs",
    "LabelThresholds",
    "MinimumExpectedCost",
    "PredictionSets",
    "RejectCosts",
    "RejectOption",
    "ReviewBand",
    "Rule",
    "check_costs",
    "check_label_logits",
    "check_label_matrix",
    "check_labels_or_other",
    "choose_unknown_cut",
    "fewest_rows",
    "fingerprint",
    "highest_confidence",
    "highest_floor",
    "label_fingerprint",
    "rule_from_dict",
]
