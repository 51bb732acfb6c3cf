#!/usr/bin/env bash
# tokenizers: an uncased tokenizer still reads capitals as other words.
#
# Packages: tokenizers 0.23.3.
# Expected (no guess was written down): after BertNormalizer(lowercase=True) a word in capitals is
# the same word in small letters.
# Seen: Turkish dotless i and Greek final sigma end up different, as does German sharp s; dotted
# capital I and accents fold.
#
#   tokenizers 0.23.3
#   Turkish, warm: ılık -> ılık, ILIK -> ilik
#   Turkish, two: iki -> iki, İKİ -> iki
#   Greek, road: δρόμος -> δρομος, ΔΡΟΜΟΣ -> δρομοσ
#   German, street: straße -> straße, STRASSE -> strasse
#   French, summer: été -> ete, ÉTÉ -> ete
#   Python lowers ΔΡΟΜΟΣ to δρομος and tokenizers to δρομοσ
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile tokenizers==0.23.3
"$folder/venv/bin/python" - <<'END'
import tokenizers
from tokenizers.normalizers import BertNormalizer

normal = BertNormalizer(lowercase=True).normalize_str
print("tokenizers", tokenizers.__version__)
words = {
    "Turkish, warm": ("ılık", "ILIK"),
    "Turkish, two": ("iki", "İKİ"),
    "Greek, road": ("δρόμος", "ΔΡΟΜΟΣ"),
    "German, street": ("straße", "STRASSE"),
    "French, summer": ("été", "ÉTÉ"),
}
same = {}
for name, (small, capital) in words.items():
    same[name] = normal(small) == normal(capital)
    print(f"{name}: {small} -> {normal(small)}, {capital} -> {normal(capital)}")
print("Python lowers ΔΡΟΜΟΣ to", "ΔΡΟΜΟΣ".lower(), "and tokenizers to", normal("ΔΡΟΜΟΣ"))
assert list(same.values()) == [False, True, False, False, True]
END
