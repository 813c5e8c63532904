"""The guard against mixing data sets sees all that decides the features."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from d2m_core.pose.model_file import model_folder
from training.builder.origin import origin_of
from training.builder.settings import ClipSettings, Seeing
from training.run.closure import closure_of
from training.run.provenance import ROOT


@pytest.mark.parametrize(
    "module",
    [
        "d2m_core.motion.accents",
        "d2m_core.motion.body",
        "d2m_core.motion.braking",
        "d2m_core.grid",
        "d2m_core.checkpoint",
        "d2m_core.pose.world",
        "training.pairs.flac",
        "training.sources.smpl",
        "training.transformer.items",
    ],
)
def test_what_makes_a_clip_counts(module: str) -> None:
    assert module in closure_of(["training.builder.work"], ROOT)


@pytest.mark.skipif(
    not (model_folder() / "pose_landmarker_lite.task").exists(),
    reason="the lite pose model is not on this machine",
)
def test_other_code_is_another_origin(other_code: Callable[[], None]) -> None:
    settings = ClipSettings(seeing=Seeing(pose_model="lite"))
    before = origin_of(settings)
    assert origin_of(settings) == before
    other_code()
    assert origin_of(settings).code != before.code
