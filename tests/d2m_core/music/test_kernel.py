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

from d2m_core.music import (
    DanceToMusic,
    ModelConfig,
    SamplingConfig,
    chances,
    kernel,
    machine,
    scalars,
    stepping,
    tiles,
)
from d2m_core.music.copies import CopyReader
from d2m_core.music.drawing import Lean, Numbers, dice_for, draw
from d2m_core.music.kernel import Page
from d2m_core.music.machine import compiled
from d2m_core.music.model import Conditions
from d2m_core.music.stepping import CompiledWriter, Pen, Sheet, TorchWriter, Write, packed
from d2m_core.straight import LAGS

PLAIN = ModelConfig(
    features=3, codebooks=2, cardinality=20, dim=24, heads=3, encoder_layers=1, decoder_layers=2, ffn=40
)
STRAIGHT = replace(PLAIN, straight=True, place=8, copies=True)
GATED = replace(PLAIN, gated=True)
BOOKS = PLAIN.codebooks


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


def both_writers(net: DanceToMusic, sides: int, takes: int, first: int, columns: int) -> tuple[Write, Write]:
    """The same page in machine code and by torch, from column `first` on."""
    config = SamplingConfig(guidance=1.0 if sides == 1 else 2.5, style="house" if sides == 3 else None)
    assert config.sides == sides
    books, tokens = net.config.codebooks, net.config.cardinality
    torch.manual_seed(3)
    delayed = torch.randint(0, tokens, (1, books, columns)).repeat(takes, 1, 1)
    past = torch.randint(0, tokens, (books, 50))
    back = torch.randint(-60, columns - books, (1, len(LAGS), columns - books + 1))
    near = torch.randint(-1, tokens, (books, columns))
    both: list[Write] = []
    for weights in (packed(net), None):
        sheet = Sheet(
            delayed.clone(),
            torch.arange(columns).expand(books, -1) >= first,
            CopyReader(past, back, delayed) if net.copies is not None else None,
            Lean(near, 0.5) if takes == 3 else None,
        )
        cache = net.start_cache(given_to(net, sides, columns))
        begun = net.shift_right(delayed[:1])[:, :, : first + 1].repeat(sides, 1, 1)
        copied = None
        if sheet.reader is not None:
            copied = sheet.reader.columns(0, first + 1)[:1].repeat(sides, 1, 1, 1)
        logits = net.decode(begun, cache=cache, copied=copied)[:, :, -1]
        both.append(Pen(net, weights).on(sheet, cache, logits, config, torch.Generator().manual_seed(5)))
    return both[0], both[1]


@pytest.mark.parametrize("half", [True, False], ids=["float16", "float32"])
@pytest.mark.parametrize("config", [PLAIN, STRAIGHT, GATED], ids=["plain", "straight", "gated"])
@pytest.mark.parametrize(("sides", "takes"), [(1, 1), (2, 1), (3, 1), (2, 3), (1, 5)])
@torch.inference_mode()
def test_what_is_written_is_what_the_network_says(
    config: ModelConfig, half: bool, sides: int, takes: int
) -> None:
    net, columns, first = net_of(config, half), 12, 3
    ours, theirs = both_writers(net, sides, takes, first, columns)
    assert isinstance(ours, CompiledWriter)
    assert isinstance(theirs, TorchWriter)
    assert (ours.weights.qkv.dtype == np.uint16) == half, "what float16 holds exactly is read as such"
    for column in range(first, columns):
        if column > first:
            logits = theirs.step(column)
            theirs.memory.position -= 1  # it is asked for again
        ours(column)
        theirs(column)
        if column > first:
            said = [part.state.logits[:, : logits[0].numel()] for part in ours.parts]
            said = [each.reshape(sides, -1, each.shape[1]) for each in said]
            whole = torch.from_numpy(np.concatenate(said, axis=1)).view_as(logits)
            torch.testing.assert_close(whole, logits, atol=1e-4, rtol=1e-4)
        written = np.concatenate([part.page.delayed for part in ours.parts])
        np.testing.assert_array_equal(written, theirs.sheet.delayed.numpy())


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


def test_weights_are_laid_out_once_while_they_stay() -> None:
    net = net_of(PLAIN)
    first = Pen.of(net).weights
    assert Pen.of(net).weights is first
    with torch.no_grad():
        net.decoder[1].ffn_out.weight[2, 3] += 0.5
    second = Pen.of(net).weights
    assert second is not None
    assert second is not first
    for now, fresh in zip(second, stepping._laid_out(net), strict=True):
        np.testing.assert_array_equal(now, fresh)
    assert Pen.of(net_of(PLAIN)).weights is not second
    net.train()
    assert Pen.of(net).weights is None


def test_without_numba_torch_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "numba_is_there", lambda: False)
    assert packed(net_of(PLAIN)) is None


@pytest.mark.parametrize("error", [ImportError, RuntimeError, None])
def test_numba_that_fails_or_errs_here_is_not_used(
    error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def tried() -> bool:
        if error is not None:
            raise error("of this processor")
        return False

    assert machine.tiles_multiply()
    monkeypatch.setattr(machine, "tiles_multiply", tried)
    with caplog.at_level("INFO"):
        assert not machine.numba_is_there.__wrapped__()
    assert "by torch alone" in caplog.text


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    spread=st.floats(0.1, 30),
    guidance=st.sampled_from([0.0, 1.0, 2.5]),
    style=st.sampled_from([None, "house"]),
    top_k=st.sampled_from([0, 1, 7, 500]),
    top_p=st.sampled_from([0.2, 0.9, 1.0]),
    temperature=st.sampled_from([0.0, 0.3, 1.0]),
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
    maker = torch.Generator().manual_seed(seed)
    logits = torch.randn(config.sides * takes, BOOKS, 50, generator=maker) * spread
    ours, theirs = (torch.Generator().manual_seed(seed) for _ in range(2))
    columns, run = 4, compiled()
    numbers, dice = (
        Numbers((takes, BOOKS), 50, columns, config, ours),
        dice_for(takes * BOOKS, 50, config, None),
    )
    nowhere = np.full((BOOKS, columns), -1)
    page = Page(
        np.zeros((takes, BOOKS, columns), np.int64),
        nowhere < 0,
        np.zeros((takes, BOOKS, 0), np.int64),
        nowhere[None][:0],
        nowhere,
    )
    for column in range(columns):
        run.rank(logits.flatten(1).numpy(), page.near, dice, column)
        numbers.arrange(dice.keys)
        run.settle(page, dice, numbers.next().reshape(takes * BOOKS, -1), numbers.even, column)
        np.testing.assert_array_equal(page.delayed[..., column], draw(logits, config, theirs).numpy())
    assert torch.equal(ours.get_state(), theirs.get_state()), "as much chance is used"


def test_exponential_and_gelu_are_as_exact_as_float32() -> None:
    for x in np.linspace(-86, 0, 301, dtype=np.float32):
        assert float(scalars.exponential(x)) == pytest.approx(math.exp(float(x)), rel=3e-7)
    for x in np.linspace(-8, 8, 321, dtype=np.float32):
        exact = 0.5 * float(x) * (1 + math.erf(float(x) / math.sqrt(2)))
        assert float(scalars.gelu(x)) == pytest.approx(exact, rel=1e-6, abs=6e-7)


def test_products_in_tiles_are_products() -> None:
    """In plain Python and in machine code, for any number of entries and outputs that fill no block."""
    import numba

    compiled()
    fast = numba.njit(lambda matrix, x, y: tiles.product(matrix, x, y))
    numbers = np.random.default_rng(0)
    for rows, columns in ((5, 6), (64, 1), (130, 7)):
        matrix = numbers.normal(size=(rows, columns)).astype(np.float16)
        for batch in range(1, 10):
            x = numbers.normal(size=(batch, columns + 2)).astype(np.float32)[:, :columns].copy()
            wanted = x @ matrix.astype(np.float32).T
            for stored in (matrix.view(np.uint16), matrix.astype(np.float32)):
                laid = tiles.in_tiles(stored, tiles.tile_shape().width)
                for run in (tiles.product, fast):
                    y = np.zeros((batch, laid.shape[0] * laid.shape[2]), np.float32)
                    run(laid, x, y)
                    np.testing.assert_allclose(y[:, :rows], wanted, rtol=1e-4, atol=1e-5)
                    assert not y[:, rows:].any()


@torch.inference_mode()
def test_threads_share_candidates_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    net, pages = net_of(STRAIGHT), []
    for threads in (1, 3):
        monkeypatch.setattr(stepping, "process_threads", lambda threads=threads: threads)
        write, _ = both_writers(net, 3, 5, 2, 9)
        assert isinstance(write, CompiledWriter)
        assert len(write.parts) == threads
        for column in range(2, 9):
            write(column)
        pages.append(np.concatenate([part.page.delayed for part in write.parts]))
    np.testing.assert_array_equal(*pages)


def test_prepare_compiles_what_music_needs() -> None:
    stepping.prepare()
    run = compiled()
    assert all(part.signatures for part in run)
    before = [list(part.signatures) for part in run]
    for config in (PLAIN, STRAIGHT):
        with torch.inference_mode():
            write, _ = both_writers(net_of(config), 2, 3, 2, 6)
            for column in range(2, 6):
                write(column)
    assert [list(part.signatures) for part in run] == before, "nothing is left to compile"


_UNDER_A_NAME = """
import importlib.util, sys
import numpy as np
of = importlib.util.spec_from_file_location
spec = of(sys.argv[1], sys.argv[2], submodule_search_locations=[sys.argv[3]])
package = sys.modules[sys.argv[1]] = importlib.util.module_from_spec(spec)
from importlib import import_module
machine, chances = (import_module(sys.argv[1] + "." + name) for name in ("machine", "chances"))
room = np.zeros((1, 4), np.float32)
dice = chances.Dice(room, np.zeros((1, 4), np.int64), room[0], np.ones(3, np.float32), np.ones(2, np.float32))
machine.compiled().rank(np.arange(4, dtype=np.float32)[None], np.full((1, 1), -1), dice, 0)
assert room[0, 3] == 3
"""


def test_what_is_kept_serves_each_name_and_state_of_the_modules(tmp_path: Path) -> None:
    """As where the command line and ComfyUI, which names packs after their folders, share a clone."""
    for module in (chances, kernel, machine, scalars, tiles):
        shutil.copy(str(module.__file__), tmp_path)
    (tmp_path / "__init__.py").touch()
    for name in ("one", "other", "one", "changed"):
        if name == "changed":
            with (tmp_path / "scalars.py").open("a") as source:
                source.write("# as in a new version\n")
            name = "one"
        code = [sys.executable, "-c", _UNDER_A_NAME, name, str(tmp_path / "__init__.py"), str(tmp_path)]
        done = subprocess.run(code, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "__pycache__").glob("chances.rank*.nbi"))) == 3
