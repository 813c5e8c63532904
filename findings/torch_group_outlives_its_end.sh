#!/usr/bin/env bash
# torch 2.13.0 (CPU, gloo): a process group that gradients were spread over lives on after its end.
#
# Expected: destroy_process_group ends the group, and with it the threads that carry its messages, as it does
# where the group was used for all_reduce and barrier.
# Seen (Python 3.11, Linux): once a DistributedDataParallel has been made on it, even if that was deleted and
# collected without a step, the group's three threads run on until the process ends: something holds it.
# So tensors may be let go of by those threads while Python takes itself down.
#
# Output seen:
#     all_reduce, barrier: 3 threads, after the end 0
#     DistributedDataParallel, deleted: 3 threads, after the end 3
#
# PYTHON=python3.11 bash torch_group_outlives_its_end.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6

cat > "$folder/one.py" <<'PY'
import gc
import sys
from pathlib import Path

import torch
import torch.distributed as together


def threads():
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    return sum("gloo" in name for name in names)


together.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=0, world_size=1)
if sys.argv[1] == "DistributedDataParallel, deleted":
    spread = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 2))
    del spread
else:
    together.all_reduce(torch.ones(2))
    together.barrier()
gc.collect()
there = threads()
together.destroy_process_group()
gc.collect()
print(f"{sys.argv[1]}: {there} threads, after the end {threads()}")
PY

for use in "all_reduce, barrier" "DistributedDataParallel, deleted"; do
    "$folder/venv/bin/python" "$folder/one.py" "$use" "$folder/meet${#use}" 2> /dev/null
done | tee "$folder/seen"

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
