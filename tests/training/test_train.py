"""Training items, and a tiny run: it learns, resumes exactly, and its checkpoint makes music."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from d2m_core.errors import SettingError
from d2m_core.grid import PHASE_NAMES, position
from d2m_core.music import DanceToMusic, ModelConfig, SamplingConfig, generate_tokens, load_model
from d2m_core.styles import STYLES
from d2m_core.types import MotionFeatures, Rhythm
from tests.training.transformer.two_processes import run_on_two
from training.train import main, parse, train
from training.transformer.items import TrainItem, item_facts, read_item, write_item
from training.transformer.made_items import CODEC, MOTION_NAMES, make_items
from training.transformer.settings import TrainConfig
from training.transformer.trainer import Trainer
from training.transformer.windows import draw_batch, motion_statistics, read_folder, split

TINY, TINY_SHAPE = parse(["--preset", "tiny"])
PLAIN = replace(
    TINY, drop_motion=0, drop_rhythm=0, drop_style=0, drop_all=0, short_windows=0, jitter_s=0, curve_noise=0
)
SHAPE = ModelConfig(len(MOTION_NAMES), CODEC.codebooks, CODEC.cardinality, **TINY_SHAPE)


def test_item_comes_back_as_it_went(tmp_path: Path) -> None:
    item = make_items(1)[0]
    back = read_item(write_item(tmp_path / "deep" / "a.safetensors", item))
    for field in fields(item):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(item, field.name))
    music = replace(item, motion=None, style="")
    back = read_item(write_item(tmp_path / "b.safetensors", music))
    assert back.motion is None
    assert back.motion_names == MOTION_NAMES
    assert back.style == ""


def test_items_of_another_format_are_refused(tmp_path: Path) -> None:
    path = write_item(tmp_path / "a.safetensors", make_items(1)[0])
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for version in ("1", "3"):
        save_file(tensors, path, {**metadata, "format_version": version})
        with pytest.raises(SettingError, match="no training item"):
            read_item(path)
        with pytest.raises(SettingError, match="no training item"):
            item_facts(path)


def test_an_item_says_what_it_is_without_its_arrays(tmp_path: Path) -> None:
    item = make_items(1)[0]
    facts = item_facts(write_item(tmp_path / "a.safetensors", item))
    assert (facts["style"], facts["tempo_bpm"]) == (item.style, item.tempo_bpm)
    assert (facts["codec"], tuple(facts["motion_names"])) == (asdict(CODEC), MOTION_NAMES)


def test_a_model_knows_the_styles_of_its_data(tmp_path: Path) -> None:
    items = make_items(6)
    names = ("waltz", "polka", "house", "", "trap", "house")
    items = [replace(item, style=name) for item, name in zip(items, names, strict=True)]
    data = split(items)
    assert data.styles == ("house", "trap", "waltz", "polka")
    for item in items:
        write_item(tmp_path / "items" / f"{id(item)}.safetensors", item)
    config = replace(
        PLAIN,
        data=str(tmp_path / "items"),
        steps=1,
        hold_out=0,
        folder=str(tmp_path / "run"),
        out=str(tmp_path / "m.safetensors"),
    )
    train(config, TINY_SHAPE)
    assert load_model(config.out, codec=CODEC).model.config.styles == data.styles
    shape = replace(SHAPE, styles=data.styles)
    given = draw_batch(items[:1], DanceToMusic(shape), PLAIN, np.random.default_rng(0)).given
    assert (given.style == 2).all()
    with pytest.raises(SettingError, match="this model knows"):
        draw_batch(
            items[:1], DanceToMusic(replace(SHAPE, styles=("house",))), PLAIN, np.random.default_rng(0)
        )


def test_wrong_items_are_refused(tmp_path: Path) -> None:
    item = make_items(1)[0]
    with pytest.raises(ValueError, match="codes"):
        replace(item, codes=item.codes.astype(np.int64))
    with pytest.raises(ValueError, match=r"leave 0\.\.31"):
        replace(item, codes=item.codes + np.int16(30))
    (tmp_path / "x.safetensors").write_bytes(b"no item")
    with pytest.raises(SettingError, match="Cannot read"):
        read_folder(tmp_path)
    with pytest.raises(SettingError, match="no training items"):
        read_folder(tmp_path / "empty")
    other = replace(item, motion_names=("a", "b", "c"))
    with pytest.raises(SettingError, match="differ"):
        split([item, other])


def test_folder_is_split_the_same_way_every_time(tmp_path: Path) -> None:
    for number, item in enumerate(make_items(9, 3.0)):
        write_item(tmp_path / f"{number}.safetensors", item)
    data = read_folder(tmp_path, hold_out=4)
    assert (len(data.train), len(data.held_out)) == (7, 2)
    again = read_folder(tmp_path, hold_out=4)
    np.testing.assert_array_equal(data.held_out[1].codes, again.held_out[1].codes)
    assert data.hours == pytest.approx(7 * 3.0 / 3600)


@pytest.mark.parametrize("first_seed", [110_000, 130_007])
def test_every_style_is_on_both_sides_of_the_split(first_seed: int) -> None:
    """The studio's styles take turns by seed; 20 and 14 turns share a factor."""
    item = make_items(1)[0]
    styles = [STYLES[seed % len(STYLES)] for seed in range(first_seed, first_seed + 20 * len(STYLES))]
    data = split([replace(item, style=style) for style in styles], hold_out=20)
    assert {item.style for item in data.held_out} == {item.style for item in data.train} == set(STYLES)
    assert len(data.held_out) == len(styles) // 20


def test_styles_that_are_made_in_any_order_are_held_out_alike() -> None:
    item, rng = make_items(1)[0], np.random.default_rng(0)
    styles = [*rng.permutation(np.repeat(["house", "polka", ""], 50)), *["waltz"] * 250]
    data = split([replace(item, style=str(style)) for style in styles], hold_out=25)
    found = Counter(item.style for item in data.held_out)
    assert found == {"house": 2, "polka": 2, "": 2, "waltz": 10}


def test_statistics_are_those_of_the_motion() -> None:
    items = make_items(3)
    items.append(replace(items[0], motion=None))
    mean, std = motion_statistics(items)
    values = np.concatenate([i.motion for i in items if i.motion is not None]).astype(np.float64)
    np.testing.assert_allclose(mean, values.mean(0), atol=1e-5)
    np.testing.assert_allclose(std, values.std(0), rtol=1e-4)


def test_windows_line_up_with_their_beats() -> None:
    batch = draw_batch(make_items(5), DanceToMusic(SHAPE), PLAIN, np.random.default_rng(0))
    eighth = batch.codes[:, 0].double()  # the synthetic codebook 0: eighths of the beat, 0..7
    assert eighth.shape == (PLAIN.batch, 100)
    phases = batch.given.step_phases[:, :100, :2].double()
    angle = torch.atan2(phases[..., 0], phases[..., 1]) / (2 * torch.pi) % 1
    difference = (angle * 8 - eighth) % 8  # 0..1 within the eighth
    assert ((difference < 1.01) | (difference > 7.99)).all()
    assert batch.given.step_phases.shape == (PLAIN.batch, 103, len(PHASE_NAMES))


def test_conditions_are_left_out_as_often_as_asked() -> None:
    config = replace(TINY, batch=400, drop_all=0.2, drop_motion=0.5, drop_rhythm=0.0, drop_style=1.0)
    given = draw_batch(make_items(2), DanceToMusic(SHAPE), config, np.random.default_rng(1)).given
    assert given.has_rhythm.float().mean() == pytest.approx(0.8, abs=0.07)
    assert given.has_motion.float().mean() == pytest.approx(0.4, abs=0.08)
    assert (given.style == -1).all()


def test_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    config = replace(TINY, steps=6, folder=str(tmp_path))
    data = split(make_items(4))

    def steps(trainer: Trainer, count: int) -> Trainer:
        for _ in range(count):
            trainer.train_step(trainer.batch(trainer.step))
        return trainer

    straight = steps(Trainer(config, SHAPE, data), 6)
    steps(Trainer(config, SHAPE, data), 3).save()
    resumed = Trainer(config, SHAPE, data)
    assert resumed.restore()
    steps(resumed, 3)
    for name, parameter in straight.net.named_parameters():
        assert torch.equal(parameter, resumed.net.get_parameter(name)), name
        assert torch.equal(straight.average.values[name], resumed.average.values[name]), name


def test_a_state_of_something_else_is_refused(tmp_path: Path) -> None:
    config, items = replace(TINY, folder=str(tmp_path)), make_items(4)
    Trainer(config, SHAPE, split(items)).save()

    def goes_on(config: TrainConfig, shape: ModelConfig, items: list[TrainItem]) -> bool:
        return Trainer(config, shape, split(items)).restore()

    assert goes_on(replace(config, minutes=9.0, steps=99, out="x", threads=1, data="moved"), SHAPE, items)
    renamed = [replace(item, motion_names=("bounce", "sway", "other")) for item in items]
    coded = [replace(item, codec=replace(CODEC, name="theirs")) for item in items]
    for other, sentence in (
        ((config, replace(SHAPE, ffn=32), items), "ffn was 64 and is 32; give the same flags"),
        ((replace(config, learning_rate=0.5, seed=3), SHAPE, items), r"rate was 0.01 and is 0.5, seed was 0"),
        ((config, SHAPE, renamed), "motion_names was .*noise.* and is .*other"),
        ((config, SHAPE, coded), "name was synthetic and is theirs"),
        ((config, SHAPE, make_items(4, seed=1)), "data was 4 items .* and is 4 items"),
        ((config, SHAPE, items[:3]), "data was 4 items .* and is 3 items"),
    ):
        with pytest.raises(SettingError, match=sentence):
            goes_on(*other)


def test_the_same_command_goes_on_and_another_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--preset", "tiny", "--folder", str(tmp_path), "--out", str(tmp_path / "m.safetensors")]
    assert main([*words, "--steps", "2"]) == 0
    assert main([*words, "--steps", "3"]) == 0
    assert load_model(tmp_path / "m.safetensors").info["steps"] == 3
    written = (tmp_path / "m.safetensors").read_bytes()
    assert main([*words, "--steps", "3", "--batch", "2"]) == 1
    assert "batch was 4 and is 2" in capsys.readouterr().err
    assert (tmp_path / "m.safetensors").read_bytes() == written
    assert main([*words, "--steps", "1", "--batch", "2", "--no-resume"]) == 0
    assert load_model(tmp_path / "m.safetensors").info["steps"] == 1


SHARED = replace(TINY, steps=3, batch=4, seed=5)
"""What one process and two train on in the test below."""


def gradients(trainer: Trainer, steps: int = 3) -> dict[str, torch.Tensor]:
    """Of the last of some steps."""
    for _ in range(steps):
        trainer.train_step(trainer.batch(trainer.step))
    return {n: p.grad for n, p in trainer.net.named_parameters() if p.grad is not None}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        size = float(value.abs().max())
        torch.testing.assert_close(other[name], value, atol=1e-4 * size + 1e-9, rtol=1e-3)


def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    """Gradients of a whole batch, and of its halves on two processes (gloo)."""
    run_on_two("tests.training.transformer.workers", str(tmp_path / "g"))
    alone = gradients(Trainer(SHARED, SHAPE, split(make_items(6))))
    same(alone, torch.load(tmp_path / "g", weights_only=True))


def test_a_batch_in_parts_gives_the_same_step() -> None:
    data = split(make_items(6))
    whole = gradients(Trainer(SHARED, SHAPE, data))
    same(whole, gradients(Trainer(replace(SHARED, accumulate=4), SHAPE, data)))
    with pytest.raises(SettingError, match="choose a multiple of 3"):
        Trainer(replace(SHARED, accumulate=3), SHAPE, data)


def test_dropout_resumes_exactly(tmp_path: Path) -> None:
    config, shape = replace(TINY, folder=str(tmp_path)), replace(SHAPE, dropout=0.3)
    data = split(make_items(4))
    straight = gradients(Trainer(config, shape, data), 4)
    first = Trainer(config, shape, data)
    gradients(first, 2)
    first.save()
    resumed = Trainer(config, shape, data)
    assert resumed.restore()
    for name, value in gradients(resumed, 2).items():
        assert torch.equal(value, straight[name]), name


def test_tiny_run_learns_and_its_checkpoint_follows_new_beats(tmp_path: Path) -> None:
    config = replace(TINY, folder=str(tmp_path / "run"), out=str(tmp_path / "m.safetensors"))
    info = train(config, TINY_SHAPE, "python -m training.train --preset tiny")
    followed, free = info["loss"]["followed"], info["loss"]["free"]
    assert followed[0] < 0.8 * np.log(8)
    assert followed[0] < free[0] - 0.2  # rhythm tells what music alone cannot
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["losses"][0] < rows[0]["losses"][0]

    loaded = load_model(config.out, codec=CODEC)
    assert loaded.info["licence"] == config.licence
    item = make_items(1, duration_s=3.0, seed=99)[0]
    assert item.motion is not None
    motion = MotionFeatures(item.motion.astype(np.float32), MOTION_NAMES)
    rhythm = Rhythm(item.beats_s, item.downbeats, item.curves.astype(np.float32), item.tempo_bpm)
    sampling = SamplingConfig(temperature=0.0, guidance=1.5, overlap_s=0.5)
    codes = generate_tokens(loaded, motion, rhythm, CODEC, sampling).codes[0].numpy()
    wanted = np.floor(position(item.beats_s, np.arange(150) / 50) * 8) % 8
    shifted = np.floor(position(item.beats_s, np.arange(150) / 50 + 0.25) * 8) % 8
    assert np.mean(codes[0] == wanted) > 0.35
    assert np.mean(codes[0] == wanted) > 2 * np.mean(codes[0] == shifted)


def test_every_setting_is_a_flag_and_only_those() -> None:
    config, shape = parse(["--batch", "3", "--resume", "--codebook-weights", "1", "0.5", "--ffn", "96"])
    assert config == TrainConfig(batch=3, codebook_weights=(1.0, 0.5))
    assert shape["ffn"] == 96
    assert set(shape) < {field.name for field in fields(ModelConfig)}
    with pytest.raises(SystemExit):
        parse(["--polka", "1"])


def test_bad_settings_end_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--folder", str(tmp_path)]) == 1
    assert "no training items" in capsys.readouterr().err
    assert main(["--drop-all", "2"]) == 1
    assert "0 to 1" in capsys.readouterr().err
