"""A small network that hears the style of studio music: judge of style obedience, and an embedding.

    python -m training.train_style_judge --data runs/studio --out runs/style.safetensors

It hears a piece on its beats, which whoever asks has to know: music is judged on the beats that
were asked for. It learns on excerpts of a data set of pairs, every ninth piece kept back; what it
gets right of those is stored in the file. Excerpts are played at random tempi, bent at random
(equaliser, low-pass, gain, blur) and for a share taken from the music as `--codecs` give it back,
so that neither a tempo nor the sound of a codec is taken for a style. Its last layer but one is
the embedding that `training.judges.style.EMBEDDING` names; the file holds its mean and covariance over the
held-out music, as the reference of Fréchet distances.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from d2m_core.codec import Codec, load_codec
from d2m_core.errors import require
from training.judges.style import StyleJudge, StyleNet, features, save_judge
from training.judges.style_spectra import SPEEDS, StyleData, bent, joined, read_styles
from training.run.command import command_parser, run_command
from training.run.provenance import commit

_IN_10_S = 3
"""Windows in 10 s."""


def train(data: StyleData, epochs: int, batch: int, copies: int = 12, seed: int = 0) -> StyleJudge:
    """Learns the styles of `data` on `copies` bent excerpts of each piece; a falling rate."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    heard = [
        features(bent(data.excerpt(i, rng), rng))
        for i in tqdm(data.train, desc="excerpts", unit="piece")
        for _ in range(copies)
    ]
    x = torch.stack(heard)
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
        embedded = torch.cat([net.embedding(data.windows(i)) for i in data.held_out])
    found = embedded.double().numpy()
    info = {
        "pieces": len(data.train),
        "held_out": len(data.held_out),
        "epochs": epochs,
        "seed": seed,
        "accuracy": accuracy(net, data),
        "accuracy_other_tempi": accuracy(net, data, SPEEDS),
    }
    return StyleJudge(net, data.styles, info, found.mean(0), np.cov(found, rowvar=False))


def accuracy(
    net: StyleNet, data: StyleData, speeds: Sequence[float] = (1.0,), codec: int | None = None
) -> float:
    """Share of the held-out pieces whose style it hears in 10 s, played at `speeds` in turn; with
    `codec` through that of `data.coded`."""
    right = 0
    with torch.inference_mode():
        for turn, i in enumerate(data.held_out):
            speed = speeds[turn % len(speeds)]
            chances = net(data.windows(i, speed, _IN_10_S, codec)).log_softmax(-1).mean(0)
            right += int(chances.argmax()) == int(data.labels[i])
    return right / max(1, len(data.held_out))


def _accuracies(net: StyleNet, data: StyleData, codecs: Sequence[Codec]) -> dict[str, float]:
    """As the music is, at other tempi, and through each codec."""
    found = {"accuracy": accuracy(net, data), "other_tempi": accuracy(net, data, SPEEDS)}
    for number, codec in enumerate(codecs):
        found[codec.spec.name] = accuracy(net, data, codec=number)
    return {name: round(share, 3) for name, share in found.items()}


# --- command line ---


@dataclass(frozen=True)
class _Settings:
    data: list[Path]
    out: Path
    mels: Path
    epochs: int
    batch: int
    codecs: Sequence[str]
    bandwidth: float | None


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("train_style_judge", __doc__)
    add = found.add_argument
    add("--data", type=Path, nargs="+", required=True, help="folders of shards with music")
    add("--out", type=Path, default=Path("runs/style.safetensors"), help="[%(default)s]")
    mels = Path("runs/style_mels")
    add("--mels", type=Path, default=mels, help="where the spectra of the music are kept [%(default)s]")
    add("--epochs", type=int, default=60, help="[%(default)s]")
    add("--batch", type=int, default=128, help="[%(default)s]")
    add("--codecs", nargs="*", default=(), help="names of codecs to hear the music through as well")
    add("--bandwidth", type=float, help="theirs in kbit/s [their highest]")
    return found


def _work(words: list[str]) -> str:
    given = _Settings(**vars(parser().parse_args(words)))
    enough = given.epochs > 0 and given.batch > 0
    require(enough, f"epochs {given.epochs}, batch {given.batch}: use 1 or more.")
    codecs = [load_codec(name, bandwidth=given.bandwidth) for name in given.codecs]
    parts = [read_styles(folder, given.mels, codecs) for folder in given.data]
    judge = train(joined(parts), given.epochs, given.batch)
    judge.info["folders"] = {
        folder.name: _accuracies(judge.net, part, codecs)
        for folder, part in zip(given.data, parts, strict=True)
    }
    judge.info["commit"] = commit()
    save_judge(judge, given.out)
    return json.dumps({**asdict(given), **judge.info}, indent=1, default=str) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


if __name__ == "__main__":
    raise SystemExit(main())
