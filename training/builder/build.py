"""Builds a data set from a source: all clips, then shards, manifest and report.

Every recording is cut and every clip made in a job of its own, noted in the work folder as soon as
it is done. The shards are joined from those at the end, so what one finds depends on the source and
the settings only, not on how many processes worked or how often the run was stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from d2m_core.errors import SettingError, require
from d2m_core.files import check_place
from training.pairs.manifest import MANIFEST, begin
from training.pairs.shards import remove_leftovers
from training.run.processes import alone_in
from training.sources import Recording, SourceOptions, Unreadable, recordings
from training.sources.recording import SPLITS
from training.sources.splits import SHARES, assign_splits

from . import gates
from .cluster import run_ray
from .engine import Crash, Queue, cores, run_local
from .jobs import Context, Done, Job, Seconds, add, fail
from .manifest import is_complete, mark_begun, write_manifest
from .origin import origin_of
from .packing import pack, remove_pairs, room_for, unpack
from .progress import Bar
from .records import Store, clip_name
from .report import write_report
from .rows import read_rows, rows_of, write_rows
from .settings import ClipSettings
from .work import work

ENGINES = ("local", "ray")
AGAIN = (gates.NOT_FETCHED, gates.UNREADABLE, gates.FAILED, gates.CRASHED)
"""Reasons that may have gone: `--again` tries these once more."""


@dataclass(frozen=True)
class Order:
    """What is built of what, and by how many."""

    source: str
    options: SourceOptions
    out: Path
    settings: ClipSettings = field(default_factory=ClipSettings)
    cache: Path | None = None
    """Folder of downloads; None takes one beside the shards."""
    shares: tuple[float, ...] = SHARES
    """Of train, val and test."""
    seed: int = 0
    """Of the splits."""
    per_shard: int = 64
    engine: str = "local"
    workers: int = 0
    """Processes; 0 takes one per core."""
    address: str = ""
    """Of a Ray cluster; empty starts one on this machine."""
    again: bool = False
    """Try once more what failed before."""

    def __post_init__(self) -> None:
        require(self.engine in ENGINES, f"engine is {self.engine!r}; choose {', '.join(ENGINES)}.")
        require(self.per_shard >= 1, f"per-shard is {self.per_shard}; use 1 or more.")
        require(self.workers >= 0, f"workers is {self.workers}; use 0 or more.")
        assign_splits((), self.shares)  # refuses what cannot be


@dataclass
class Summary:
    """How a run went; nothing of it is written."""

    kept: int = 0
    dropped: int = 0
    made: int = 0
    """Clips made in this run."""
    seconds: Seconds = field(default_factory=dict)
    """Of all workers, in this run."""
    manifest: dict[str, Any] = field(default_factory=dict)


def build(order: Order, progress: bool = True) -> Summary:
    """Builds what is missing; a finished data set is left as it is. Raises `D2MError`."""
    check_place(order.out / MANIFEST)
    order.out.mkdir(parents=True, exist_ok=True)
    store, summary = Store(order.out / "work"), Summary()
    with alone_in(order.out):
        _tidy(order.out, store)
        found = list(recordings(order.source, order.options))
        given = [each for each in found if isinstance(each, Recording)]
        _must_differ(given)
        origin = origin_of(
            order.settings,
            source=order.source,
            shares=list(order.shares),
            seed=order.seed,
            per_shard=order.per_shard,
        )
        begun, contents = begin(order.out, origin), _digest(found, order.options.root)
        if is_complete(begun):
            if begun["recordings"]["sha256"] == contents and not order.again:
                remove_pairs(store, (row.clip for row in read_rows(order.out) if row.kept))
                return replace(summary, manifest=begun, kept=begun["clips"]["kept"])
            unpack(order.out, store)
            mark_begun(order.out, begun)
        if order.again:
            store.forget(AGAIN)
        _make(order, store, given, summary, progress)
        _finish(order, store, found, contents, begun, summary)
    return summary


def _tidy(out: Path, store: Store) -> None:
    store.remove_leftovers()
    for folder in (out, *(out / split for split in SPLITS)):
        remove_leftovers(folder)
        for left in (*folder.glob(".clips.*"), *folder.glob(".report.*")):
            left.unlink(missing_ok=True)


def _must_differ(given: list[Recording]) -> None:
    names = Counter(recording.name for recording in given)
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise SettingError(f"Two recordings are called {twice[0]}; rename one of them.")
    if not given:
        raise SettingError(
            "The source holds no recordings; see what it should look like in its"
            " documentation, or give another --root."
        )


def _digest(found: list[Recording | Unreadable], root: Path) -> str:
    """A checksum of what a source lists, wherever its folder lies."""
    total = hashlib.sha256()
    for each in found:
        words = {
            key: value.relative_to(root).as_posix()
            if isinstance(value, Path) and value.is_relative_to(root)
            else str(value)
            for key, value in asdict(each).items()
        }
        total.update(json.dumps(words, sort_keys=True).encode())
    return total.hexdigest()


# --- clips ---


def _make(order: Order, store: Store, given: list[Recording], summary: Summary, progress: bool) -> None:
    """Cuts recordings and makes clips until all are there."""
    context = context_of(order, store)
    todo: list[Job] = []
    with Bar(len(given), progress) as bar:
        for recording in given:
            _next_jobs(context, recording, todo, bar)
        queue = Queue(todo)
        with closing(_run(order, queue)) as results:
            for job, answer in results:
                done = _noted(job, answer)
                for step, spent in done.seconds.items():
                    add(summary.seconds, step, *spent)
                if done.plan is not None:
                    follow: list[Job] = []
                    _next_jobs(context, job.recording, follow, bar)
                    queue.put(follow)
                elif done.outcome is not None:
                    summary.made += 1
                    bar.made(kept=not done.outcome.reason)


def context_of(order: Order, store: Store) -> Context:
    """What jobs are told, wherever they run."""
    cache = (order.cache or order.out / "downloads").resolve()
    return Context(Store(store.folder.resolve()), cache, order.options, order.settings)


def _next_jobs(context: Context, recording: Recording, jobs: list[Job], bar: Bar) -> None:
    """Adds what is to be done for a recording, and tells the bar what is done already."""
    plan = context.store.plan(recording)
    if plan is None:
        jobs.append(Job(context, recording))
        return
    bar.cut(len(plan.cuts), failed=bool(plan.reason))
    for piece in plan.cuts:
        outcome = None
        if not piece.drop:
            outcome = context.store.outcome(clip_name(recording.name, piece.number))
            if outcome is None:
                jobs.append(Job(context, recording, piece))
                continue
        bar.made(kept=outcome is not None and not outcome.reason)


def _run(order: Order, queue: Queue) -> Generator[tuple[Job, Any], None, None]:
    workers = order.workers or cores()
    if order.engine == "ray":
        return run_ray(work, queue, workers, order.address)
    return run_local(work, queue, workers)


def _noted(job: Job, answer: Any) -> Done:
    if isinstance(answer, Crash):
        done = Done()
        fail(job, done, gates.CRASHED, answer.why)
        return done
    return answer


# --- the end ---


def _finish(
    order: Order,
    store: Store,
    found: list[Recording | Unreadable],
    contents: str,
    begun: dict[str, Any],
    summary: Summary,
) -> None:
    """Splits, shards, list of clips, manifest and report; then the clips' own files may go."""
    rows = rows_of(found, store, order.options.root, order.source)
    useful = {row.recording for row in rows if row.kept}
    given = [each for each in found if isinstance(each, Recording) and each.name in useful]
    splits = assign_splits(given, order.shares, order.seed)
    rows = [replace(row, split=splits[row.recording]) if row.kept else row for row in rows]
    clips = {row.clip: row.split for row in rows if row.kept}
    room_for(order.out, store, clips)
    pack(order.out, store, clips, order.per_shard)
    write_rows(order.out, rows)
    write_report(order.out, rows, order.source, given, context_of(order, store))
    summary.kept, summary.dropped = len(clips), sum(not row.kept for row in rows)
    summary.manifest = write_manifest(order.out, begun, rows, contents, order.settings)
    remove_pairs(store, clips)
