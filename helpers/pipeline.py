"""The pipeline that honours a rule, under the name to import it by; it lives in `portable`."""

from helpers.portable.decisions import DECISION_FILE, FORMAT, Decision, Dtype
from helpers.portable.pipeline import (
    DecisionPipeline,
    check_head,
    exact_head,
    file_hash,
    mixed_precision,
    number_format,
    read_decision,
)
from helpers.portable.rule import FORMAT_VERSION

__all__ = [
    "DECISION_FILE",
    "FORMAT",
    "FORMAT_VERSION",
    "Decision",
    "DecisionPipeline",
    "Dtype",
    "check_head",
    "exact_head",
    "file_hash",
    "mixed_precision",
    "number_format",
    "read_decision",
]
