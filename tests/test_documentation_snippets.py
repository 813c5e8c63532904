"""Every Python snippet of the pages runs as it stands, with the shipped weights, on a drawn dance."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from d2m_core.media import load_audio, open_clip
from tests.pages import PAGES, ROOT, Block, blocks
from training.seeds import PAIRS_SEED, TESTS_SEED
from training.studio.__main__ import main as studio
from training.studio.picture.drawing import main as draw

SECONDS, PAIR_S, PAIRS = 3, 1, 8
SNIPPETS = {page: found for page in PAGES if (found := blocks(page, "python"))}


@pytest.fixture(scope="module")
def dance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = tmp_path_factory.mktemp("dance") / "dance.mp4"
    flags = f"--seed {TESTS_SEED} --tempo 118 --seconds {SECONDS} --width 480 --height 360 --fps 25"
    assert draw([*flags.split(), "--out", str(clip)]) == 0
    return clip


def run(snippets: list[Block]) -> dict[str, object]:
    """Names that the snippets of a page leave, one after the other."""
    names: dict[str, object] = {}
    for block in snippets:
        code = Path(f"{block.page.stem}.py")
        code.write_text("\n" * (block.line - 1) + block.text)  # so that a traceback names the page's line
        names = runpy.run_path(str(code), names)
    return names


def on_a_dance(page: Path, dance: Path, result: str) -> None:
    """Beside `dance.mp4`; `result` has to be as long as the dance, and to sound."""
    Path("dance.mp4").symlink_to(dance)
    run(SNIPPETS[page])
    sound = load_audio(result)
    seconds = sound.samples.shape[-1] / sound.sample_rate
    assert seconds == pytest.approx(open_clip(dance).duration_s, abs=0.05)
    assert sound.samples.pow(2).mean() > 1e-4


def on_pairs(page: Path, _dance: Path) -> None:
    """Beside a folder of studio pairs, all of which are read."""
    flags = f"--hours {PAIRS * PAIR_S / 3600} --seconds {PAIR_S} --seed {PAIRS_SEED} --workers 1"
    assert studio([*flags.split(), "--out", "runs/studio"]) == 0
    last = run(SNIPPETS[page])["pair"]
    assert last.name.endswith(str(PAIRS_SEED + PAIRS - 1))  # type: ignore[attr-defined]


def _runs(page: Path) -> None:
    run(SNIPPETS[page])


BESIDE: dict[str, Callable[[Path, Path], None]] = {
    "README.md": lambda page, dance: on_a_dance(page, dance, "music.wav"),
    "docs/sync.md": lambda page, _dance: _runs(page),
    "docs/questions.md": lambda page, dance: on_a_dance(page, dance, "dance_with_music.mp4"),
    "training/studio/README.md": on_pairs,
}


def test_every_page_with_a_snippet_is_run() -> None:
    assert {page.relative_to(ROOT).as_posix() for page in SNIPPETS} == BESIDE.keys()


@pytest.mark.parametrize("page", BESIDE)
def test_the_snippets_of_a_page_run(
    page: str, dance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    BESIDE[page](ROOT / page, dance)
