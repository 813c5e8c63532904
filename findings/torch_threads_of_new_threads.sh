#!/usr/bin/env bash
# torch 2.13.0 (CPU, OpenMP): set_num_threads changes the calling thread, and what new threads begin with.
#
# Expected: "sets the number of threads used for intraop parallelism on CPU", so one number for the
# process; or, if it is each thread's own, one that no other thread sees.
# Seen (Python 3.11, Linux): both halves. A worker that sets 1 leaves the main thread at 2, yet every thread
# that is born from then on begins with 1; when the main thread sets 3, the worker stays at 1 and new
# threads begin with 3. So a worker that sets 1, and sets back what it found when it is done, has slowed
# down all threads that were born meanwhile, for good; and setting the number at the top of a
# program does not reach the threads of a pool that is already there.
#
# Output seen:
#     the main thread has set 2: main 2, worker 2, new thread 2
#     the worker has set 1: main 2, worker 1, new thread 1
#     the main thread has set 3: main 3, worker 1, new thread 3
#
# PYTHON=python3.11 bash torch_threads_of_new_threads.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PY' | tee "$folder/seen"
from concurrent.futures import ThreadPoolExecutor

import torch


def in_new_thread():
    with ThreadPoolExecutor(1) as new:
        return new.submit(torch.get_num_threads).result()


def tell(what):
    of_worker = worker.submit(torch.get_num_threads).result()
    print(f"{what}: main {torch.get_num_threads()}, worker {of_worker}, new thread {in_new_thread()}")


with ThreadPoolExecutor(1) as worker:
    torch.set_num_threads(2)
    tell("the main thread has set 2")
    worker.submit(torch.set_num_threads, 1).result()
    tell("the worker has set 1")
    torch.set_num_threads(3)
    tell("the main thread has set 3")
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
