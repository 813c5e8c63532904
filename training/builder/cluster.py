"""The same jobs on a Ray cluster (extra `cluster`): any number of machines that share a folder.

Workers write clips where the run's folder lies; between machines go only jobs and a few figures. A
worker or machine that dies costs its jobs' time: Ray does them again elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from typing import Any

from d2m_core.errors import D2MError, SettingError
from training.run.processes import ONE_THREAD, one_thread
from training.run.provenance import ROOT

from .engine import ATTEMPTS, Crash, Queue, Result
from .jobs import Job

_AHEAD = 2
"""Jobs handed to the cluster per core, so that none waits."""


def run_ray(
    work: Callable[[Job], Any], jobs: Queue, workers: int, address: str = ""
) -> Generator[Result, None, None]:
    """As `engine.run_local`, on the cluster at `address`; without one, on a cluster of this machine
    with `workers` cores.
    """
    ray = _ray()
    mine = not ray.is_initialized()
    if mine:
        _connect(ray, address, workers)
    try:
        remote = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_work)
        yield from _results(ray, remote, work, jobs)
    finally:
        if mine:
            ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise SettingError(
            "The engine is ray, and Ray is not installed; install the extra `cluster`, or take"
            " --engine local."
        ) from error
    return ray


def _connect(ray: Any, address: str, workers: int) -> None:
    os.environ.setdefault("RAY_worker_niceness", "0")  # of a cluster that is started here
    environment = {"env_vars": {**ONE_THREAD, "PYTHONPATH": str(ROOT)}}
    local = {"num_cpus": workers, "include_dashboard": False}
    where_to: dict[str, Any] = {"address": address} if address else local
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        ray.init(runtime_env=environment, **quiet, **where_to)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"The Ray cluster {address!r}" if address else "A Ray cluster of this machine"
        raise SettingError(f"{where} cannot be used ({error}); see `ray status`.") from error


def _work(work: Callable[[Job], Any], job: Job) -> Any:
    """Runs on the cluster."""
    one_thread()
    try:
        return work(job)
    except D2MError as error:
        return error


def _results(ray: Any, remote: Any, work: Callable[[Job], Any], jobs: Queue) -> Generator[Result, None, None]:
    running: dict[Any, Job] = {}
    while True:
        most = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        while len(running) < most and (job := jobs.take()) is not None:
            running[remote.remote(work, job)] = job
        if not running:
            return
        for reference in ray.wait(list(running))[0]:
            job = running.pop(reference)
            try:
                answer = ray.get(reference)
            except ray.exceptions.RayTaskError:
                raise
            except ray.exceptions.RayError as error:  # the worker died each time
                answer = Crash(f"{type(error).__name__}, {ATTEMPTS} times")
            if isinstance(answer, D2MError):
                raise answer
            yield job, answer
