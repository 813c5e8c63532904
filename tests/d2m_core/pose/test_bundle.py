"""The landmark network without its silhouette: less work, the same joints."""

from __future__ import annotations

import io
import zipfile
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from d2m_core.media import iter_frames, open_clip
from d2m_core.pose import landmarker, pose_model
from d2m_core.pose.bundle import lean_bundle, lean_model, stored_zip, unpack
from d2m_core.pose.landmarker import Body, landmarkers
from d2m_core.pose.model_file import DETECTOR, LANDMARKER
from training.studio.picture.drawing import demo_dance, render_scene


def graph_of(bundle: bytes) -> object:
    from mediapipe.tasks.metadata import schema_py_generated as schema

    with zipfile.ZipFile(io.BytesIO(bundle)) as held:
        return unpack(schema, held.read(LANDMARKER)).subgraphs[0]


def test_what_draws_the_silhouette_is_gone_and_nothing_else() -> None:
    path = pose_model("full")
    lean = lean_bundle(path)
    assert lean is not None
    assert lean is lean_bundle(path), "made once"
    whole, left = graph_of(path.read_bytes()), graph_of(lean)
    shapes = [[list(graph.tensors[k].shape) for k in graph.outputs] for graph in (whole, left)]
    assert shapes[0][2] == [1, 256, 256, 1]
    assert shapes[1] == [*shapes[0][:2], [1, 1, 1, 1], *shapes[0][3:]]
    made = {int(k) for operator in left.operators for k in operator.outputs}
    assert len(left.operators) == len(whole.operators) - 46
    assert {int(k) for k in left.outputs} <= made
    with zipfile.ZipFile(io.BytesIO(lean)) as held, zipfile.ZipFile(path) as before:
        assert held.read(DETECTOR) == before.read(DETECTOR)


def test_it_is_kept_as_a_file_that_can_be_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("D2M_CACHE", str(tmp_path / "cache"))
    path = pose_model("full")
    kept = Path(lean_model(path)["model_asset_path"])
    assert kept.read_bytes() == lean_bundle(path)
    (kept.parent / "pose_landmarker_full.00000000.task").write_bytes(b"of another version")
    kept.write_bytes(kept.read_bytes()[:-1000])
    assert lean_model(path) == {"model_asset_path": str(kept)}
    assert kept.read_bytes() == lean_bundle(path), "a damaged file is made again"
    assert list(kept.parent.iterdir()) == [kept]
    monkeypatch.setenv("D2M_CACHE", str(kept))  # no folder can be there
    assert lean_model(path) == {"model_asset_buffer": lean_bundle(path)}


def test_joints_are_the_same_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = open_clip(render_scene(demo_dance(4, 110, 1.2, 25), tmp_path / "dance.mp4"))
    pictures = [frame.rgb for frame in islice(iter_frames(clip, max_height=240), 12)]

    def found() -> list[Body]:
        with landmarkers(pose_model("full")) as opens:
            film, still = opens.of_film(1), opens.of_stills(2)
            bodies = [film.find(rgb, 40 * number) for number, rgb in enumerate(pictures)]
            return [body for bodies_here in (*bodies, still.find(pictures[0])) for body in bodies_here]

    lean = found()
    monkeypatch.setattr(landmarker, "lean_model", lambda _bundle: None)
    whole = found()
    assert len(lean) == len(whole) == 13
    for one, other in zip(lean, whole, strict=True):
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_bundle_that_is_otherwise_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.task"
    for network in (b"", b"not a network", b"\x00" * 64):
        path.write_bytes(stored_zip({DETECTOR: b"d", LANDMARKER: network}))
        assert lean_bundle(path) is None


def test_a_mediapipe_that_insists_on_the_silhouette_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landmarker, "lean_model", lambda _bundle: {"model_asset_buffer": b"refused"})
    with landmarkers(pose_model("full")) as opens:
        assert opens.of_film(1).find(np.zeros((64, 64, 3), np.uint8)) == []
