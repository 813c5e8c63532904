#!/usr/bin/env bash
# numba 0.68.1: an annotation on an @overload function stops what calls it from compiling.
#
# Expected: annotations are for readers and for type checkers; the same function with one and without
# one compiles to the same thing, as it does where @njit stands above it.
# Seen (Python 3.11, Linux): @overload compares the signature of the typing function with that of the
# implementation that it returns, annotations included, and a lambda has none. The message speaks of
# "argument names", which are the same. Without the annotation all is well.
#
# Output seen:
#     njit with an annotation: 42
#     overload without an annotation: 42
#     overload with an annotation: TypingError, speaks of argument names: True
#
# PYTHON=python3.11 bash numba_overload_annotations.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numba==0.68.1 numpy==2.4.6

"$folder/venv/bin/python" - <<'PY' | tee "$folder/seen"
from typing import Any

from numba import njit
from numba.core.errors import TypingError
from numba.extending import overload


@njit
def direct(x: Any):
    return x + 1


def plain(x):
    return x + 1


def annotated(x):
    return x + 1


@overload(plain)
def _plain(x):
    return lambda x: x + 1


@overload(annotated)
def _annotated(x: Any):
    return lambda x: x + 1


@njit
def calls_plain(x):
    return plain(x)


@njit
def calls_annotated(x):
    return annotated(x)


print("njit with an annotation:", direct(41))
print("overload without an annotation:", calls_plain(41))
try:
    print("overload with an annotation:", calls_annotated(41))
except TypingError as error:
    print("overload with an annotation: TypingError, speaks of argument names:", "argument names" in str(error))
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
