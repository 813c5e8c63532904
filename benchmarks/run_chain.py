"""A runner of `chain`: a clip to music, with the seconds of every stage."""

from __future__ import annotations

import json
import resource
import sys
import time

from side_by_side import answer_each_line

from d2m_core.pipeline import dance_to_music, load_models


def main() -> None:
    settings = json.loads(sys.argv[1])
    models = load_models(device="cpu")

    def once() -> dict[str, float]:
        start, start_cpu = time.perf_counter(), time.process_time()
        result = dance_to_music(settings["clip"], models)
        answer = {f"{stage} s": seconds for stage, seconds in result.seconds.items()}
        answer |= {"whole s": time.perf_counter() - start, "whole CPU s": time.process_time() - start_cpu}
        return answer | {"peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}

    answer_each_line(once)


if __name__ == "__main__":
    main()
