"""Logits to probabilities, under the name to import them by; they live in `portable`."""

from helpers.portable.arrays import (
    Floats,
    check_binary_labels,
    check_class_logits,
    check_logits,
)
from helpers.portable.calibration import Calibration, fit_temperature_and_bias
from helpers.portable.checks import is_real
from helpers.portable.probabilities import (
    MEASURES,
    Measure,
    binary_logit,
    confidence,
    fit_temperature,
    log_softmax,
    logit,
    prior_shift,
    sigmoid,
    softmax,
)

__all__ = [
    "MEASURES",
    "Calibration",
    "Floats",
    "Measure",
    "binary_logit",
    "check_binary_labels",
    "check_class_logits",
    "check_logits",
    "confidence",
    "fit_temperature",
    "fit_temperature_and_bias",
    "is_real",
    "log_softmax",
    "logit",
    "prior_shift",
    "sigmoid",
    "softmax",
]
