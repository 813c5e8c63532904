"""A small network that hears the style of studio music: judge of style obedience, and an embedding.

    python -m training.style_classifier --data runs/studio --out weights/style.safetensors

It learns on excerpts of a data set of pairs, every ninth piece kept back; what it gets right of
those is stored in the file. Excerpts are bent at random (equaliser, low-pass, gain, blur), so that
the sound of a codec is not taken for a style. Its last layer but one is what `fad` calls
`EMBEDDING`; the file holds mean and covariance of it over the held-out music, as the reference.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm

from d2m_core.audio import resample, to_mono
from d2m_core.codec import load_codec
from d2m_core.errors import D2MError, ModelError, SettingError
from d2m_core.files import replacing
from d2m_core.types import Waveform
from training.style_data import (
    BANDS,
    EXCERPT_S,
    FRAMES,
    RATE,
    StyleData,
    bent,
    log_mel,
    read_styles,
    through,
)  # fmt: skip
from training.versions import commit

DEFAULT_WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "style.safetensors"

EMBEDDING = "d2m-style-32"
"""Name of the embedding: the last layer but one of this classifier, 32 numbers per 5 s."""

EMBEDDING_DIM = 32
_KIND = "style"
_HIDDEN = 96
_HOP_S = 2.5
"""Windows of `EXCERPT_S` that a piece is heard in start so far apart."""

_GROUPS, _LAGS, _PER_LAG = 8, 102, 3
"""Onsets of so many groups of bands, their autocorrelation up to 2 s, in bins of 60 ms."""

FEATURES = 3 * BANDS + _GROUPS * _LAGS // _PER_LAG

log = logging.getLogger("style")


def features(mel: torch.Tensor) -> torch.Tensor:
    """What one hears in excerpts [B, frames, bands]: sound and its changes, and the groove.

    [B, `FEATURES`]: mean, deviation and mean rise of each band, and autocorrelations of the rises.
    """
    rise = mel.diff(dim=1).clamp(min=0)
    groups = rise.unflatten(2, (_GROUPS, -1)).mean(3)  # [B, frames - 1, groups]
    groups = groups - groups.mean(1, keepdim=True)
    power = torch.fft.rfft(groups, 2 * mel.shape[1], dim=1).abs() ** 2
    lags = torch.fft.irfft(power, dim=1)[:, : _LAGS + 1]
    lags = lags[:, 1:] / (lags[:, :1] + 1e-6)
    groove = lags.unflatten(1, (-1, _PER_LAG)).mean(2)  # [B, bins, groups]
    return torch.cat([mel.mean(1), mel.std(1), 10 * rise.mean(1), groove.flatten(1)], 1)


class StyleNet(nn.Module):
    """Two layers over `features`: excerpts to embeddings [B, 32] and to logits [B, styles]."""

    def __init__(self, styles: int) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(FEATURES))
        self.std = nn.Buffer(torch.ones(FEATURES))
        self.enter = nn.Linear(FEATURES, _HIDDEN)
        self.embed = nn.Linear(_HIDDEN, EMBEDDING_DIM)
        self.head = nn.Linear(EMBEDDING_DIM, styles)

    def of_features(self, heard: torch.Tensor) -> torch.Tensor:
        """The embedding [B, 32] of features [B, `FEATURES`]."""
        x = ((heard - self.mean) / self.std).clamp(-5, 5)
        x = torch.relu(self.enter(F.dropout(x, 0.3, self.training)))
        return self.embed(F.dropout(x, 0.3, self.training))

    def embedding(self, mel: torch.Tensor) -> torch.Tensor:
        """What `EMBEDDING` names, [B, 32], of excerpts [B, frames, bands]."""
        return self.of_features(features(mel))

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        return self.logits(self.embedding(mel))

    def logits(self, embedded: torch.Tensor) -> torch.Tensor:
        """Of embeddings."""
        return self.head(torch.relu(embedded))


@dataclass(frozen=True, eq=False)
class StyleJudge:
    """The classifier with its styles, how it came about, and the reference for distances."""

    net: StyleNet
    styles: tuple[str, ...]
    info: dict[str, Any]
    mean: np.ndarray
    """float64 [32]: of held-out studio music."""
    covariance: np.ndarray
    """float64 [32, 32]."""

    def embed(self, wave: Waveform) -> np.ndarray:
        """Embeddings float64 [windows, 32] of a piece, one for every 2.5 s."""
        with torch.inference_mode():
            return self.net.embedding(_windows(wave)).double().numpy()

    def style_of(self, wave: Waveform) -> str:
        """The likeliest style of a piece, from all its windows together."""
        with torch.inference_mode():
            chances = self.net(_windows(wave)).log_softmax(-1).mean(0)
        return self.styles[int(chances.argmax())]


def _windows(wave: Waveform) -> torch.Tensor:
    """Log-mel windows [windows, frames, bands]; a short piece is repeated."""
    mono = to_mono(resample(wave, RATE)).samples[0, 0]
    mel = log_mel(mono)
    if len(mel) < FRAMES:
        mel = mel.repeat(-(-FRAMES // len(mel)), 1)
    return _cut(mel)


def _cut(mel: torch.Tensor) -> torch.Tensor:
    hop = round(FRAMES * _HOP_S / EXCERPT_S)
    return mel.unfold(0, FRAMES, hop).transpose(1, 2)


# --- training ---


def train(data: StyleData, epochs: int, batch: int, copies: int = 12, seed: int = 0) -> StyleJudge:
    """Learns the styles of `data` on `copies` bent excerpts of each piece; a falling rate."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    heard = [
        features(torch.stack([bent(data.excerpt(i, rng), rng) for _ in range(copies)]))
        for i in tqdm(data.train, desc="excerpts", unit="piece")
    ]
    x = torch.cat(heard)
    y = torch.from_numpy(np.repeat(data.labels[data.train], copies))
    net = StyleNet(len(data.styles))
    net.mean.copy_(x.mean(0))
    net.std.copy_(x.std(0) + 1e-4)
    steps = epochs * max(1, len(x) // batch)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    net.train()
    for _ in tqdm(range(steps), desc="steps"):
        chosen = torch.from_numpy(rng.integers(len(x), size=batch))
        logits = net.logits(net.of_features(x[chosen]))
        loss = F.cross_entropy(logits, y[chosen], label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    net.eval()
    with torch.inference_mode():
        embedded = torch.cat([net.embedding(_cut(data.mels[i].float())) for i in data.held_out])
    found = embedded.double().numpy()
    info = {
        "pieces": len(data.train), "held_out": len(data.held_out), "epochs": epochs, "seed": seed,
        "accuracy": accuracy(net, data),
    }  # fmt: skip
    return StyleJudge(net, data.styles, info, found.mean(0), np.cov(found, rowvar=False))


def accuracy(net: StyleNet, data: StyleData) -> float:
    """Share of the held-out pieces whose style it hears in their first 10 s."""
    right = 0
    with torch.inference_mode():
        for i in data.held_out:
            chances = net(_cut(data.mels[i][: 2 * FRAMES].float())).log_softmax(-1).mean(0)
            right += int(chances.argmax()) == int(data.labels[i])
    return right / max(1, len(data.held_out))


def accuracy_through(judge: StyleJudge, folder: Path, codecs: Sequence[str]) -> dict[str, float]:
    """The same on 10 s of the held-out pieces, each coded and decoded by a codec."""
    found = {}
    for name in codecs:
        codec, right = load_codec(name), []
        for style, wave in tqdm(through(codec, folder), desc=name, unit="piece"):
            right.append(judge.style_of(wave) == style)
        found[name] = round(float(np.mean(right)), 3)
    return found


# --- files ---


def save_judge(judge: StyleJudge, path: Path) -> Path:
    """Writes the classifier, matrices as float16; a file is there whole or not at all."""
    tensors = {
        name: (t.half() if t.ndim > 1 else t).contiguous()
        for name, t in judge.net.state_dict().items()
    }
    tensors["reference.mean"] = torch.from_numpy(judge.mean)
    tensors["reference.covariance"] = torch.from_numpy(judge.covariance)
    about = {"kind": _KIND, "styles": json.dumps(judge.styles), "info": json.dumps(judge.info)}
    with replacing(path) as partial:
        save_file(tensors, partial, about)
    return path


def load_judge(path: Path | str = DEFAULT_WEIGHTS) -> StyleJudge:
    """Reads what `save_judge` wrote. Raises `ModelError`."""
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path} cannot be read ({error}); make it with python -m training.style_classifier."
        ) from error
    if about.get("kind") != _KIND:
        raise ModelError(
            f"{path} holds no style classifier; make one with training.style_classifier."
        )
    mean = tensors.pop("reference.mean").double().numpy()
    covariance = tensors.pop("reference.covariance").double().numpy()
    styles = tuple(json.loads(about["styles"]))
    net = StyleNet(len(styles))
    net.load_state_dict({n: t.float() if t.is_floating_point() else t for n, t in tensors.items()})
    return StyleJudge(net.eval(), styles, json.loads(about["info"]), mean, covariance)


# --- command line ---


@dataclass(frozen=True)
class _Settings:
    data: Path
    out: Path
    mels: Path
    epochs: int
    batch: int
    codecs: tuple[str, ...]


def _settings(argv: list[str] | None) -> _Settings:
    parser = argparse.ArgumentParser(
        "python -m training.style_classifier", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--data", type=Path, required=True, help="folder of shards with music")
    parser.add_argument("--out", type=Path, default=DEFAULT_WEIGHTS, help="[%(default)s]")
    parser.add_argument(
        "--mels", type=Path, default=Path("runs/style_mels.safetensors"),
        help="where the spectra of the music are kept [%(default)s]",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, default=60, help="[%(default)s]")
    parser.add_argument("--batch", type=int, default=128, help="[%(default)s]")
    parser.add_argument(
        "--codecs", nargs="*", default=(), help="also score it through these codecs"
    )
    return _Settings(**{n: tuple(v) if isinstance(v, list) else v
                        for n, v in vars(parser.parse_args(argv)).items()})  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    given = _settings(argv)
    try:
        if given.epochs < 1 or given.batch < 1:
            raise SettingError(f"epochs {given.epochs}, batch {given.batch}: use 1 or more.")
        judge = train(read_styles(given.data, given.mels), given.epochs, given.batch)
        judge.info["through"] = accuracy_through(judge, given.data, given.codecs)
        judge.info["commit"] = commit()
        save_judge(judge, given.out)
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    shown = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(given).items()}
    sys.stdout.write(json.dumps({**shown, **judge.info}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
