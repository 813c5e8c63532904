#!/usr/bin/env bash
# numba 0.68.1: a cached function cannot be loaded by a program that knows its module by another name.
#
# Expected: the cache beside a file belongs to the file and its time stamp, so a second program that imports
# the same file loads it, or, where something does not fit, compiles anew.
# Seen (Python 3.11, Linux): the cache is found by path and line and holds the module's name of the first
# program. A second one that imports the same file as part of a package (a plug-in folder, say) gets
# ModuleNotFoundError for the first one's name, from the loading of the cache, at the first call. The code
# is equal, and each program works alone.
#
# Output seen:
#     as whole.inner: 3
#     as pack.whole.inner: ModuleNotFoundError No module named 'whole'
#     as pack.whole.inner without the cache: 3
#
# PYTHON=python3.11 bash numba_cache_two_names.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numba==0.68.1 numpy==2.4.6

mkdir -p "$folder/site/pack/whole"
touch "$folder/site/pack/__init__.py" "$folder/site/pack/whole/__init__.py"
cat > "$folder/site/pack/whole/inner.py" <<'PY'
import numba


@numba.njit
def one(x):
    return x + 1


@numba.njit(cache=True)
def two(x):
    return one(x) + 1
PY

say() {
    PYTHONPATH=$1 "$folder/venv/bin/python" - "$2" <<'PY'
import importlib
import sys

try:
    print(f"as {sys.argv[1]}:", importlib.import_module(sys.argv[1]).two(1))
except ModuleNotFoundError as error:
    print(f"as {sys.argv[1]}:", type(error).__name__, error)
PY
}

{
    say "$folder/site/pack" whole.inner
    say "$folder/site" pack.whole.inner
    rm -r "$folder/site/pack/whole/__pycache__"
    say "$folder/site" pack.whole.inner | sed 's/:/ without the cache:/'
} | tee "$folder/seen"

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
