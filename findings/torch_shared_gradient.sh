#!/usr/bin/env bash
# torch: the gradients of two parameters that are added are one tensor, so adding to one adds to both.
#
# Packages: torch 2.13.0, numpy 2.4.6.
# Expected (no guess was written down): torch.autograd.grad gives each parameter a tensor of its own.
# Seen: the gradients of a and b in (a + b) are the same tensor, once for each. Summed over two parts
# of a batch in place, a gradient of 1 + 1 comes out as 3. backward() gives each its own.
#
#   torch 2.13.0
#   one tensor for both parameters: True
#   summed in place over two parts: [3.0, 3.0]
#   summed by backward(): [2.0, 2.0]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile torch==2.13.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'END'
import torch

print("torch", torch.__version__.partition("+")[0])


def parameters():
    return [torch.nn.Parameter(torch.tensor(value)) for value in (2.0, 5.0)]


pair = parameters()
parts = [torch.autograd.grad(pair[0] + pair[1], pair) for _ in range(2)]
one = parts[0][0].data_ptr() == parts[0][1].data_ptr()
print("one tensor for both parameters:", one)
total = list(parts[0])
for held, new in zip(total, parts[1], strict=True):
    held.add_(new)
in_place = [value.item() for value in total]
print("summed in place over two parts:", in_place)
pair = parameters()
for _ in range(2):
    (pair[0] + pair[1]).backward()
kept = [parameter.grad.item() for parameter in pair]
print("summed by backward():", kept)
assert one and in_place == [3.0, 3.0] and kept == [2.0, 2.0]
END
