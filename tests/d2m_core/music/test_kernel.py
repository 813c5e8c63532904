"""Steps in machine code say what the network says, and draw what torch draws."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from d2m_core.music import DanceToMusic, ModelConfig, SamplingConfig, kernel, stepping
from d2m_core.music.drawing import CompiledDraw, _drawn
from d2m_core.music.model import Conditions
from d2m_core.music.stepping import CompiledStep, packed, stepper
from d2m_core.straight import LAGS

PLAIN = ModelConfig(
    features=3, codebooks=2, cardinality=20, dim=24, heads=3, encoder_layers=1, decoder_layers=2, ffn=40
)
STRAIGHT = replace(PLAIN, straight=True, place=8, copies=True)
GATED = replace(PLAIN, gated=True)


def net_of(config: ModelConfig, half: bool = True) -> DanceToMusic:
    """A network whose every part matters, gates and places too."""
    torch.manual_seed(1)
    net = DanceToMusic(config).eval()
    with torch.no_grad():
        for tensor in net.parameters():
            tensor.copy_(torch.randn_like(tensor) * 0.3)
            if half:
                tensor.copy_(tensor.half())
    return net


def given_to(net: DanceToMusic, sides: int, columns: int) -> Conditions:
    torch.manual_seed(2)
    frames = 9
    place = torch.stack([torch.full((sides, columns), 4), *torch.zeros(2, sides, columns).long()], -1)
    place = torch.cat([place, torch.full((sides, columns, 1), 24)], -1)
    place[..., 2] = torch.arange(columns) % 24
    return Conditions(
        motion=torch.randn(sides, frames, net.config.features),
        curves=torch.rand(sides, frames, 2),
        phases=torch.randn(sides, frames, 10),
        step_phases=torch.randn(sides, columns, 10),
        frame_at=torch.linspace(0, frames - 1, columns).expand(sides, -1),
        place=place,
        style=torch.arange(sides) - 1,
        tempo_bpm=torch.full((sides,), 120.0),
        has_motion=torch.tensor([True] * (sides - 1) + [False]),
        has_rhythm=torch.tensor([True] * (sides - 1) + [False]),
    )


@pytest.mark.parametrize("half", [True, False], ids=["float16", "float32"])
@pytest.mark.parametrize("config", [PLAIN, STRAIGHT, GATED], ids=["plain", "straight", "gated"])
@pytest.mark.parametrize(("sides", "takes"), [(1, 1), (2, 1), (3, 1), (2, 3), (1, 5)])
@torch.inference_mode()
def test_a_step_is_what_the_network_says(config: ModelConfig, half: bool, sides: int, takes: int) -> None:
    net, columns, first = net_of(config, half), 12, 3
    begun = torch.randint(0, config.cardinality, (1, config.codebooks, first)).repeat(sides, 1, 1)
    looks = config.copies
    seen = torch.randint(-1, config.cardinality, (sides * takes, len(LAGS), config.codebooks, columns))
    both = []
    for compiled in (True, False):
        cache = net.start_cache(given_to(net, sides, columns))
        net.decode(begun, cache=cache, copied=seen[:sides, ..., :first] if looks else None)
        if compiled:
            step = stepper(net, cache, takes)
            assert isinstance(step, CompiledStep)
            assert (step.weights.qkv.dtype == np.uint16) == half, "what float16 holds exactly is read as such"
        else:
            step = stepping._torch_step(net, cache.repeated(takes))
        both.append(step)
    torch.manual_seed(3)
    for column in range(first, columns):
        tokens = torch.randint(0, config.cardinality, (sides * takes, config.codebooks, 1))
        copied = seen[..., column : column + 1] if looks else None
        ours, theirs = (step(tokens, copied) for step in both)
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_what_the_kernel_does_not_know_is_left_to_torch() -> None:
    net = net_of(PLAIN)
    assert packed(net) is not None
    net.train()
    assert packed(net) is None, "with dropout"
    net.eval()
    net.decoder[0].ffn_in = nn.Sequential(net.decoder[0].ffn_in)  # an adapter around it
    assert packed(net) is None
    net = net_of(PLAIN)
    net.surprise = nn.Linear(2, 2)
    assert packed(net) is None, "a part that came later"
    assert packed(net_of(PLAIN).double()) is None


def test_without_numba_torch_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "numba_is_there", lambda: False)
    assert packed(net_of(PLAIN)) is None


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    spread=st.floats(0.1, 30),
    guidance=st.sampled_from([0.0, 1.0, 2.5]),
    style=st.sampled_from([None, "house"]),
    top_k=st.sampled_from([0, 1, 7, 500]),
    top_p=st.sampled_from([0.2, 0.9, 1.0]),
    temperature=st.sampled_from([0.3, 1.0]),
    takes=st.integers(1, 3),
)
def test_the_same_seed_draws_what_torch_draws(
    seed: int,
    spread: float,
    guidance: float,
    style: str | None,
    top_k: int,
    top_p: float,
    temperature: float,
    takes: int,
) -> None:
    config = SamplingConfig(0, temperature, top_k, top_p, guidance, style)
    numbers = torch.Generator().manual_seed(seed)
    logits = torch.randn(config.sides * takes, 3, 50, generator=numbers) * spread
    ours, theirs = (torch.Generator().manual_seed(seed) for _ in range(2))
    draw = CompiledDraw(logits, config, ours)
    differ = sum(not torch.equal(draw(logits), _drawn(logits, config, theirs)) for _ in range(4))
    assert differ == 0
    assert torch.equal(ours.get_state(), theirs.get_state()), "as much chance is used"


def test_exponential_and_gelu_are_as_exact_as_float32() -> None:
    for x in np.linspace(-86, 0, 301, dtype=np.float32):
        assert float(kernel.exponential(x)) == pytest.approx(math.exp(float(x)), rel=3e-7)
    for x in np.linspace(-8, 8, 321, dtype=np.float32):
        exact = 0.5 * float(x) * (1 + math.erf(float(x) / math.sqrt(2)))
        assert float(kernel.gelu(x)) == pytest.approx(exact, rel=1e-6, abs=6e-7)


def test_the_kernel_runs_as_plain_python_too() -> None:
    """What numba compiles is what stands there."""
    matrix = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float16)
    for batch in range(1, 8):
        x = np.random.default_rng(batch).normal(size=(batch, 6)).astype(np.float32)
        for weights in (matrix.view(np.uint16), matrix.astype(np.float32)):
            y = np.zeros((batch, 5), np.float32)
            kernel.product(weights, x, y)
            np.testing.assert_allclose(y, x @ matrix.astype(np.float32).T, rtol=1e-5, atol=1e-6)


@torch.inference_mode()
def test_threads_share_a_batch_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    net = net_of(STRAIGHT)
    answers = []
    for threads in (1, 3):
        monkeypatch.setattr(stepping, "process_threads", lambda threads=threads: threads)
        step = stepper(net, net.start_cache(given_to(net, 3, 6)), 5)
        assert isinstance(step, CompiledStep)
        assert len(step.states) == threads
        torch.manual_seed(4)
        for _ in range(4):
            tokens = torch.randint(0, PLAIN.cardinality, (15, PLAIN.codebooks, 1))
            copied = torch.randint(-1, PLAIN.cardinality, (15, len(LAGS), PLAIN.codebooks, 1))
            answers.append(step(tokens, copied).clone())
    for alone, shared in zip(answers[:4], answers[4:], strict=True):
        torch.testing.assert_close(alone, shared, atol=1e-5, rtol=1e-5)


def test_prepare_compiles_what_music_needs() -> None:
    stepping.prepare()
    run = kernel.compiled()
    assert all(part.signatures for part in run)
    before = [list(part.signatures) for part in run]
    net = net_of(PLAIN)
    with torch.inference_mode():
        step = stepper(net, net.start_cache(given_to(net, 2, 6)), 1)
        logits = step(torch.zeros(2, PLAIN.codebooks, 1, dtype=torch.long), None)
        CompiledDraw(logits, SamplingConfig(), torch.Generator().manual_seed(0))(logits)
    assert [list(part.signatures) for part in run] == before, "nothing is left to compile"


_UNDER_A_NAME = """
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location(sys.argv[1], sys.argv[2])
module = sys.modules[sys.argv[1]] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
values, keys = np.zeros((1, 4), np.float32), np.zeros((1, 4), np.int64)
module.compiled().rank(np.arange(4, dtype=np.float32)[None], 1.0, 0.0, values, keys)
assert values[0, 3] == 3
"""


def test_what_is_kept_serves_each_name_of_the_module(tmp_path: Path) -> None:
    """As where the command line and ComfyUI, which names packs after their folders, share a clone."""
    copy = shutil.copy(kernel.__file__, tmp_path / "kernel.py")
    for name in ("one", "other", "one"):
        code = [sys.executable, "-c", _UNDER_A_NAME, name, str(copy)]
        done = subprocess.run(code, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "__pycache__").glob("kernel.rank*.nbi"))) == 2
