"""Who is followed in drawn groups whose identities are known: `python -m training.evaluate people`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from d2m_core.errors import PoseError, require
from d2m_core.media import open_clip
from d2m_core.pose import estimate_poses, find_dancers, load_poses, save_poses
from d2m_core.pose.search import as_poses
from d2m_core.settings import Dancer
from d2m_core.types import MOTION_FPS, PoseSequence, VideoClip
from training.figures.tables import table
from training.run.kept import kept, place_for, read_json, recipe, write_json
from training.studio.observe import estimator
from training.studio.picture.drawing import render_scene
from training.studio.stage.scene import Scene

from .people_scenes import KINDS, group_scene
from .people_scores import RULES, followed_right, matched

Method = Callable[[VideoClip, int, Dancer], PoseSequence]
METHODS: dict[str, Method] = {
    "tracks": lambda clip, _people, _dancer: find_dancers(clip),
    "followed": lambda clip, _people, dancer: find_dancers(clip, dancer, only_followed=True),
    "video": lambda clip, people, _dancer: estimate_poses(clip, people=people),
}
"""tracks: everybody is read in every frame. followed: as node and command line do, only whom the music
follows is. video: MediaPipe's own following, told how many there are."""

_SHORT, _LONG = (360, 640)


def group_clip(scene: Scene, number: int, folder: Path) -> Path:
    """The drawn film of a group; kept in `folder`."""
    size = (_LONG, _SHORT) if scene.shot.aspect > 1 else (_SHORT, _LONG)
    made_of = recipe(render_scene, group_scene, number=number, seconds=scene.duration_s, size=size)
    return kept(folder, f"group_{number}.mp4", made_of, lambda path: render_scene(scene, path, *size), Path)


def group_row(
    number: int, method: str, seconds: float, folder: Path, dancer: str = "largest"
) -> dict[str, Any]:
    """The scores of one group by one method; who was found is kept in `folder`, and what that cost."""
    scene = group_scene(number, seconds)
    truth = replace(scene.poses, aspect=scene.shot.aspect)
    film = group_clip(scene, number, folder)
    searched = _searched(method, dancer)
    found, cost = _found(
        film, f"group_{number}_{searched}", searched, lambda clip: METHODS[method](clip, truth.people, dancer)
    )
    row: dict[str, Any] = {"group": number, "kind": KINDS[number % len(KINDS)], "people": truth.people}
    if not found.present.any():
        return row | {"found": 0, "idf1": 0.0, "kept": 0.0, "cost": cost} | dict.fromkeys(RULES, 0.0)
    matching = matched(truth, found)
    row |= {"found": found.people, "idf1": matching.idf1, "kept": matching.kept, "cost": cost}
    for rule in RULES:
        right, on = followed_right(truth, found, rule)
        row |= {rule: float(right), f"{rule}_on": on}
    return row


def _searched(method: str, dancer: str) -> str:
    """A method's name, and whom the music follows where that makes a difference."""
    return f"{method}_{dancer}" if method == "followed" else method


def _found(
    film: Path, name: str, searched: str, find: Callable[[VideoClip], PoseSequence]
) -> tuple[PoseSequence, float]:
    """Who is found in a film, and the processor time beside that of one person followed in it."""
    made_of = recipe(find_dancers, estimate_poses, files=[film], method=searched, estimator=estimator())
    cost = place_for(film.parent, f"{name}.json", made_of)

    def write(path: Path) -> None:
        clip = open_clip(film)
        alone_s = _seconds(lambda: estimate_poses(clip))[1]
        found, used_s = _seconds(lambda: find(clip))
        cost.write(write_json(used_s / alone_s))
        save_poses(found or as_poses([[None]], MOTION_FPS), path)

    return kept(film.parent, f"{name}.npz", made_of, write, load_poses), float(read_json(cost.path))


def _seconds(work: Callable[[], PoseSequence]) -> tuple[PoseSequence | None, float]:
    """What the work gives, None where nobody is found, and its processor seconds."""
    started = time.process_time()
    try:
        made: PoseSequence | None = work()
    except PoseError:
        made = None
    return made, time.process_time() - started


def add_people_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `python -m training.evaluate people`."""
    parser.add_argument("--method", choices=sorted(METHODS), default="tracks", help="[%(default)s]")
    parser.add_argument(
        "--dancer",
        choices=RULES[:3],
        default="largest",
        help="whom the music follows, for followed [%(default)s]",
    )
    parser.add_argument("--groups", type=int, default=60, help="drawn groups [%(default)s]")
    parser.add_argument("--first", type=int, default=0, help="number of the first group [%(default)s]")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each [%(default)s]")
    parser.add_argument(
        "--films", type=Path, default=Path("runs/people_eval"), help="films are kept here [%(default)s]"
    )


def people_scores(args: argparse.Namespace) -> tuple[list[dict[str, Any]], str]:
    """A row for each group, and a table of the means by kind."""
    require(args.groups > 0, f"groups is {args.groups}; use 1 or more.")
    numbers = range(args.first, args.first + args.groups)
    rows = [
        group_row(n, args.method, args.seconds, args.films, args.dancer) for n in tqdm(numbers, unit="group")
    ]
    return rows, people_text(rows, _searched(args.method, args.dancer))


def people_text(rows: list[dict[str, Any]], method: str) -> str:
    """Means by kind and over all."""
    columns = ["idf1", "kept", "cost", *RULES]
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    lines = []
    for name in (*kinds, "all"):
        some = [row for row in rows if name in ("all", row["kind"])]
        means = {column: float(np.mean([row[column] for row in some])) for column in columns}
        lines.append({"groups": name, "clips": len(some), **means})
    return f"{method}: identities and the person followed, drawn groups\n{table(lines)}"
