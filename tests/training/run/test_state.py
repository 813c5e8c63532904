"""States that know what they were made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.errors import ModelError, SettingError
from training.run.state import digest_of, load_state, making_of, save_state, settings_in, state_to_go_on_from


@dataclass(frozen=True)
class Settings:
    rate: float = 0.5
    out: Path = Path("runs/a")
    sizes: tuple[int, ...] = (1, 2)


def made_of(settings: Settings = Settings(), **more: object) -> dict[str, object]:
    return {"settings": settings_in(settings, ("out",)), **more}


def test_a_state_comes_back_where_it_was_made_of_the_same(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.pt"
    assert state_to_go_on_from(path, made_of()) is None
    save_state(path, made_of(data="a"), {"step": 3, "net": {"weight": torch.ones(2)}})
    state = state_to_go_on_from(path, made_of(Settings(out=Path("elsewhere")), data="a"))
    assert state is not None
    assert state["step"] == 3
    assert torch.equal(state["net"]["weight"], torch.ones(2))
    assert making_of(load_state(path))["settings"] == {"rate": 0.5, "sizes": [1, 2]}
    assert [p.name for p in path.parent.iterdir()] == ["state.pt"]


def test_a_difference_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    save_state(path, made_of(data="a"), {})
    with pytest.raises(SettingError) as found:
        state_to_go_on_from(path, made_of(Settings(rate=0.1), data="a"))
    assert str(found.value) == (
        f"{path} is of something else: rate was 0.5 and is 0.1; give the same flags and data as before, "
        "another folder, or --no-resume to begin anew."
    )
    with pytest.raises(SettingError, match=r"rate was 0.5 and is 0.1, sizes was .*, data was a and"):
        state_to_go_on_from(path, made_of(Settings(0.1, sizes=(3,)), data="b", more="c"))
    with pytest.raises(SettingError, match="data was another;"):
        state_to_go_on_from(path, made_of(data=["long"] * 100))
    with pytest.raises(SettingError, match="later was None and is 1"):
        state_to_go_on_from(path, made_of(data="a", later=1))


def test_what_is_no_state_is_said(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(b"none")
    with pytest.raises(ModelError, match="no state of a training, or it is damaged"):
        state_to_go_on_from(path, made_of())
    torch.save({"step": 3}, path)
    with pytest.raises(ModelError, match="does not say what it was made of"):
        state_to_go_on_from(path, made_of())


def test_a_digest_tells_arrays_apart() -> None:
    one = np.arange(6, dtype=np.float32)
    assert digest_of([one]) == digest_of([one.copy()])
    others = ([one], [one.reshape(2, 3)], [one.astype(np.float64)], [one[::-1]], [one, one])
    assert len({digest_of(arrays) for arrays in others}) == len(others)
    assert digest_of([np.array(["house", "93.0"])]) != digest_of([np.array(["house", "93.5"])])
    assert digest_of([np.zeros((0, 3))]) != digest_of([np.zeros((0, 4))])
