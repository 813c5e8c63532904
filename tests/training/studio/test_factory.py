"""Whole data sets: made by several processes, killed, gone on with, and guarded against mixing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.studio import kill_and_resume
from d2m_core.errors import SettingError
from training.pairs.shards import read_pairs, shard_path, write_shard
from training.run.closure import closure_of
from training.run.provenance import ROOT, digest, file_sha256
from training.seeds import PAIRS_SEED
from training.studio.__main__ import main
from training.studio.factory import Order, make_data, seeds_of
from training.studio.pairs import make_pair
from training.studio.settings import PairSettings

SETTINGS = PairSettings(seconds=2.0)
PAIRS, PER_SHARD = 7, 2
HOURS = PAIRS * SETTINGS.seconds / 3600

RUN = f"""
import sys
from pathlib import Path
from training.studio.factory import Order, make_data
from training.studio.settings import PairSettings
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
order = Order(Path(given["--out"]), {HOURS!r}, {PAIRS_SEED}, {PER_SHARD}, int(given["--workers"]))
make_data(order, PairSettings(seconds={SETTINGS.seconds!r}), progress=False)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A data set made by two processes, and how long that took."""
    folder = tmp_path_factory.mktemp("studio") / "data"
    start = time.perf_counter()
    make_data(Order(folder, HOURS, PAIRS_SEED, PER_SHARD, 2), SETTINGS, progress=False)
    return folder, time.perf_counter() - start


def test_a_data_set_is_what_its_seeds_say(made: tuple[Path, float], tmp_path: Path) -> None:
    folder, _ = made
    assert sorted(path.name for path in folder.iterdir()) == [
        "index.jsonl",
        "manifest.json",
        *(f"shard-0000{n}.tar" for n in range(4)),
        "sheet.jpg",
    ]
    facts = [pair.facts for pair in read_pairs(folder, kinds=())]
    assert [f.seed for f in facts] == list(range(PAIRS_SEED, PAIRS_SEED + PAIRS))
    here = write_shard(tmp_path / "shard.tar", [make_pair(PAIRS_SEED + 6, SETTINGS)])
    assert here.read_bytes() == shard_path(folder, 3).read_bytes()


def test_the_manifest_says_what_went_in(made: tuple[Path, float]) -> None:
    folder, _ = made
    found = json.loads((folder / "manifest.json").read_text())
    assert found["complete"]
    assert found["pairs"] == PAIRS
    assert found["hours"] == pytest.approx(HOURS, abs=1e-4)
    assert found["settings"]["seed"] == PAIRS_SEED
    assert sum(found["styles"].values()) == PAIRS
    assert found["versions"]["numpy"]
    assert found["sources"]
    assert all(source["licence"] for source in found["sources"].values())
    assert [shard["sha256"] for shard in found["shards"]] == [
        file_sha256(shard_path(folder, number)) for number in range(4)
    ]
    text = json.dumps(found)
    assert str(folder) not in text
    assert "/usr/" not in text


def test_killed_at_random_and_resumed_it_is_the_same_byte_for_byte(
    made: tuple[Path, float], tmp_path: Path
) -> None:
    folder, took_s = made
    command = [sys.executable, "-c", RUN]
    found = kill_and_resume(
        command, tmp_path / "killed", folder, kills=2, longest_s=took_s + 3, seed=5, workers=(1, 2)
    )
    assert found.kills == 2
    assert found.same


def test_another_origin_is_not_mixed_in(made: tuple[Path, float]) -> None:
    folder, _ = made
    before = digest(folder)
    order = Order(folder, HOURS, PAIRS_SEED, PER_SHARD, 1)
    with pytest.raises(SettingError, match=r"was begun with looseness 0.35 and this is 0.5"):
        make_data(order, replace(SETTINGS, looseness=0.5), progress=False)
    with pytest.raises(SettingError, match="was begun with seed"):
        make_data(replace(order, seed=1), SETTINGS, progress=False)
    with pytest.raises(SettingError, match="holds more than"):
        make_data(replace(order, hours=HOURS / 4), SETTINGS, progress=False)
    assert digest(folder) == before
    make_data(order, SETTINGS, progress=False)  # nothing is missing
    assert digest(folder) == before


def test_other_code_is_another_origin(made: tuple[Path, float], other_code: Callable[[], None]) -> None:
    decides = {
        "training.studio.stage.noise_model:noise_model.json",
        "d2m_core.band.song",
        "training.pairs.pair",
    }
    assert decides < closure_of(["training.studio.pairs", "training.pairs.shards"], ROOT).keys()
    other_code()
    with pytest.raises(SettingError, match="another version of the studio"):
        make_data(Order(made[0], HOURS, PAIRS_SEED, PER_SHARD, 1), SETTINGS, progress=False)


def test_a_short_last_shard_is_made_again_when_more_is_asked(tmp_path: Path) -> None:
    order = Order(tmp_path, HOURS, 10, 4)
    assert seeds_of(order, SETTINGS) == [range(10, 14), range(14, 17)]
    more = replace(order, hours=2 * HOURS)
    assert seeds_of(more, SETTINGS)[:2] == [range(10, 14), range(14, 18)]


def test_user_mistakes_end_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--hours", "1", "--out", str(tmp_path / "out")]
    assert main([*command, "--groove", str(tmp_path / "nowhere")]) == 1
    assert "does not exist" in capsys.readouterr().err
    assert main([*command, "--looseness", "2"]) == 1
    assert "use 0 to 1" in capsys.readouterr().err
    assert main(["--hours", "0", "--out", str(tmp_path / "out")]) == 1
    assert "hours is 0" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit):
        main([*command, "--style", "polka"])
