"""Drum patterns by style, four letters per beat: `X x o g` from loud to soft, `r t` rolls.

Each groove names pieces of the kit and their patterns; layers are percussion that may be added.
"""

from __future__ import annotations

from dataclasses import dataclass

FOUR, BACK = "x...x...x...x...", "....x.......x..."
OFF, EIGHTHS = "..x...x...x...x.", "x.o.x.o.x.o.x.o."
SIXTEENTHS = "xoooxoooxoooxooo"


@dataclass(frozen=True)
class DrumBook:
    """How the drums of a style go."""

    grooves: tuple[str, ...]
    """`piece pattern / piece pattern / ...`."""
    layers: tuple[str, ...] = ()
    fills: str = "electronic"
    """Kind in `fills.FILLS`."""
    real: tuple[str, ...] = ()
    """Styles of the Groove MIDI Dataset that suit."""
    real_share: float = 0.0
    """Share of pieces that a real drummer plays, where the data set is given."""
    real_clarity: float = 2.0
    """Least `Performance.clarity` of one who may play."""
    human_s: float = 0.0
    """Deviation of a played onset from the grid."""


CONGAS = "conga_slap ....x.......x... / conga_hi ..o.......o..... / conga_lo ......xx......xx"
BONGOS = "bongo_hi x.oox.o.x.oox.o. / bongo_lo ......x.......x."

DRUM_BOOK: dict[str, DrumBook] = {
    "house": DrumBook(
        grooves=(
            f"kick {FOUR} / clap {BACK} / open {OFF} / hat x.o.x.o.x.o.x.o.",
            f"kick {FOUR} / clap {BACK} / open {OFF} / hat xoogxoogxoogxoog / snare ......g..g....g.",
            f"kick {FOUR} / snare {BACK} / clap {BACK} / open {OFF} / hat x.oox.oox.oox.oo",
            f"kick {FOUR} / snap {BACK} / open {OFF} / rim ...x..x....x..x.",
            f"kick {FOUR} / clap {BACK} / open {OFF} / hat {SIXTEENTHS} / tom_lo ..........o....o",
            f"kick {FOUR} / clap {BACK} / hat ..x...x...x...xx / ride x.x.x.x.x.x.x.x.",
        ),
        layers=(
            f"shaker {SIXTEENTHS}", CONGAS, BONGOS, "rim ...x..x....x..x.", "cowbell x..x..x...x.x...",
            "tambourine ..x...x...x...x.", "block ......x..x......",
        ),
    ),
    "techno": DrumBook(
        grooves=(
            f"kick {FOUR} / open {OFF} / hat xoooxoooxoooxooo",
            f"kick {FOUR} / clap {BACK} / open {OFF} / hat x.oox.oox.oox.oo",
            f"kick {FOUR} / clap ............x... / ride x.x.x.x.x.x.x.x. / open {OFF}",
            f"kick {FOUR} / hat ..x...x...x...x. / tom_lo ..o..o.o..o..o.o / rim ......x......x..",
            f"kick {FOUR} / snare {BACK} / hat xxoxxxoxxxoxxxox / open {OFF}",
        ),
        layers=(
            "rim ..x..x..x..x..x.", "rim ...x...x...x...x", "tom_lo ..x..x....x..x..",
            "tom_mid ......x...x....x", "block x..x..x.x..x..x.", "cowbell ...x.......x....",
            f"shaker {SIXTEENTHS}", "triangle ....x.....x.....",
        ),
    ),
    "disco": DrumBook(
        grooves=(
            f"kick {FOUR} / snare {BACK} / open {OFF} / hat x.oox.oox.oox.oo",
            f"kick {FOUR} / snare {BACK} / hat {SIXTEENTHS} / open ..............x.",
            f"kick {FOUR} / snare {BACK} / clap {BACK} / open {OFF} / hat x...x...x...x...",
            f"kick {FOUR} / snare ....x..g....x.gg / open {OFF} / hat x.o.x.o.x.o.x.o.",
        ),
        layers=(
            CONGAS, f"tambourine {BACK}", f"tambourine {SIXTEENTHS}", "cowbell x...x...x...x...",
            f"shaker {SIXTEENTHS}", BONGOS,
        ),
        fills="acoustic", real=("dance", "soul", "funk"), real_share=0.2, human_s=0.004,
    ),
    "funk": DrumBook(
        grooves=(
            f"kick x.....x.x...o... / snare ....x..g.g..x..g / hat {SIXTEENTHS}",
            f"kick x..o....x.x..... / snare ....x..g.g.gx... / hat {EIGHTHS} / open ..............x.",
            f"kick x.x...x.x..x.... / snare ....x..g.g..x.g. / hat {SIXTEENTHS}",
            f"kick x.x.......xx..x. / snare ....x..g.g..x..g / hat {EIGHTHS} / open ......x.........",
            f"kick X...x...X..ox... / snare {BACK} / hat x.oox.oox.oox.oo / clap {BACK}",
            f"kick x.x...x...x..x..x......x..x..... / snare ....x..g.g..x..g....x..g.g..x.gg / hat {EIGHTHS}",
        ),
        layers=(CONGAS, f"tambourine {BACK}", "cowbell x.x.x.x.x.x.x.x.", f"shaker {SIXTEENTHS}", BONGOS),
        fills="acoustic", real=("funk", "soul", "neworleans"), real_share=0.55, human_s=0.005,
    ),
    "hiphop": DrumBook(
        grooves=(
            f"kick x......x..x..... / snare {BACK} / hat {EIGHTHS}",
            f"kick x..x......x..x.. / snare {BACK} / hat x.oox.o.x.o.x.oo",
            f"kick x.......x.x..... / snare {BACK} / clap {BACK} / hat x.o.x.o.x.oox.o.",
            f"kick x.x.......x..... / snare ....x..g....x.g. / hat {EIGHTHS} / open ......x.........",
            f"kick x......x..x.....x..x...x..x..... / snare ....x.......x.......x..g....x..g / hat {EIGHTHS}",
            f"kick x.....x...x...o. / snap {BACK} / snare {BACK} / hat {SIXTEENTHS}",
        ),
        layers=(
            "rim ...........o..o.", f"shaker {SIXTEENTHS}", "tambourine ....x.......x...",
            "cowbell ......o.......o.", "block ..........x..x..", "triangle x...............",
        ),
        fills="hiphop", real=("hiphop", "soul"), real_share=0.35, human_s=0.004,
    ),
    "latin": DrumBook(
        grooves=(
            f"kick {FOUR} / clave x..x..x...x.x... / cowbell x.o.x.o.x.o.x.o. / {CONGAS}",
            f"kick x..ox..ox..ox..o / timbale_hi x.xx.xx.x.x.xx.x / cowbell x...x...x...x... / {CONGAS}",
            f"kick {FOUR} / guiro x.oox.oox.oox.oo / conga_lo ..x...x...x...xx / rim ....x.......x...",
            "kick x..xx..xx..xx..x / snare ...g..x...g.x.g. / shaker xooxxooxxooxxoox"
            " / agogo_hi x.x...x.x...x... / agogo_lo ....xx....x...x.",
            f"kick {FOUR} / snare ...x..x....x..x. / timbale_lo ..............xx / cowbell {FOUR} / {CONGAS}",
        ),
        layers=(
            f"shaker {SIXTEENTHS}", "clave ..x.x...x..x..x.", BONGOS, "block x..x..x...x.x...",
            f"clap {BACK}", "tambourine x...x...x...x...",
        ),
        fills="latin", real=("latin", "afrocuban", "afrobeat", "highlife"), real_share=0.2, human_s=0.005,
    ),
    "trap": DrumBook(
        grooves=(
            "kick x.......x.x..... / clap ........x....... / hat X.o.X.o.X.o.X.o.",
            "kick x.....x.......x. / snare ........x....... / clap ........x....... / hat X.o.X.o.X.o.X.rr",
            "kick x..x..x...x..... / clap ........x....... / hat X.oox.o.X.o.X.to",
            "kick x.........x.....x..x..x......x.. / snare ........x...............x......."
            " / hat X.o.X.o.X.o.X.o.X.o.X.rrX.o.X.tt",
            "kick x...x.....x...x. / clap ........x....... / hat X.o.X.o.X.o.X.o. / rim ..........x..x..",
        ),
        layers=(
            "open ......x.........", "open ..............x.", "rim x...x...x...x...",
            "snap ....x.......x...", "cowbell ...x..x.....x...", "shaker X.o.X.o.X.o.X.o.",
            "block x...x...x...x...", "triangle ......x.........",
        ),
        fills="trap",
    ),
    "breakbeat": DrumBook(
        grooves=(
            "kick x.x.......xx.... / snare ....x..g.g..x..g / hat x.o.x.o.x.o.x.o.",
            "kick x.....x...x..... / snare ....x..g....x.g. / hat x.o.x.o.x.o.x.o. / open ..............x.",
            "kick x..x......xx.... / snare ....x..g.g..x... / ride x.x.x.x.x.x.x.x.",
            "kick x.x.......xx....x.x.......x..... / snare ....x..g.g..x..g....x..g.g....x."
            " / hat x.o.x.o.x.o.x.o.",
            f"kick x...x..x..x.x... / snare {BACK} / clap {BACK} / open {OFF} / hat xoooxoooxoooxooo",
            "kick x..x..x...x..... / snare ....x.......x..x / hat xoxoxoxoxoxoxoxo / rim ..x....x.x......",
        ),
        layers=(
            CONGAS, f"shaker {SIXTEENTHS}", "cowbell x.x.x.x.x.x.x.x.", f"tambourine {EIGHTHS}",
            "rim ..x..x....x..x..", BONGOS,
        ),
        real=("funk", "dance"), real_share=0.25, human_s=0.002,
    ),
    "dnb": DrumBook(
        grooves=(
            f"kick x.......g.x..... / snare {BACK} / hat X.o.X.o.X.o.X.o.",
            "kick x.x.......x..... / snare ....x..g.g..x..g / hat X.o.X.o.X.o.X.o. / ride x...x...x...x...",
            f"kick x.......o.x..x.. / snare {BACK} / hat XoooXoooXoooXooo",
            "kick x.x.......xx.... / snare ....x..g.g..x..g / hat X.o.X.o.X.o.X.o.",
            f"kick x.......o.x..... / snare {BACK} / ride X.o.X.o.X.o.X.o. / hat X.o.X.o.X.o.X.o.",
            "kick x.......o.x.....x..x....o.x..... / snare ....x.......x..g....x..g.g..x..."
            " / hat X.o.X.o.X.o.X.o.",
        ),
        layers=(
            f"shaker {SIXTEENTHS}", f"tambourine {EIGHTHS}", "rim ......x..x......", f"clap {BACK}",
            "ride x...x...x...x...",
        ),
    ),
    "pop": DrumBook(
        grooves=(
            f"kick {FOUR} / snare {BACK} / clap {BACK} / hat {EIGHTHS}",
            f"kick x.......x.x..... / snare {BACK} / hat {EIGHTHS}",
            f"kick x..x..x.x..x..x. / clap {BACK} / hat x.o.x.o.x.o.x.oo",
            f"kick x......xx....... / snare {BACK} / hat {EIGHTHS} / tambourine {BACK}",
            f"kick {FOUR} / snare {BACK} / open {OFF} / hat {EIGHTHS}",
            f"kick x.....x.x.....x. / snap {BACK} / clap {BACK} / hat {SIXTEENTHS}",
        ),
        layers=(
            f"tambourine {SIXTEENTHS}", f"shaker {SIXTEENTHS}", f"tambourine {BACK}", CONGAS,
            "cowbell x...x...x...x...", f"snap {BACK}",
        ),
        fills="acoustic", real=("pop", "soul", "rock"), real_share=0.3, human_s=0.003,
    ),
    "rock": DrumBook(
        grooves=(
            f"kick x.......x....... / snare {BACK} / hat x.x.x.x.x.x.x.x.",
            f"kick x.......x.x..... / snare {BACK} / hat x.x.x.x.x.x.x.x.",
            f"kick x......xx.x..... / snare {BACK} / hat x.o.x.o.x.o.x.o. / open ..............x.",
            f"kick x.x.....x.x..... / snare {BACK} / ride x.x.x.x.x.x.x.x.",
            f"kick {FOUR} / snare {BACK} / hat x.x.x.x.x.x.x.x.",
            f"kick x..x..x.x.x..... / snare {BACK} / open x...x...x...x...",
            "kick x.......x.....x. / snare ....x.......x... / tom_lo x.x.x.x.x.x.x.x.",
        ),
        layers=(f"tambourine {EIGHTHS}", f"tambourine {BACK}", "cowbell x...x...x...x...", f"clap {BACK}"),
        fills="acoustic", real=("rock", "punk"), real_share=0.55, human_s=0.005,
    ),
    "reggaeton": DrumBook(
        grooves=(
            f"kick {FOUR} / snare ...x..x....x..x. / hat {EIGHTHS}",
            f"kick {FOUR} / snare ...x..x....x..x. / rim ...x..x....x..x. / hat xoooxoooxoooxooo",
            "kick x...x...x...x... / clap ...x..x....x..x. / open ..x...x...x...x. / hat x...x...x...x...",
            f"kick x...x..xx...x... / snare ...x..x....x..xo / hat {EIGHTHS}",
        ),
        layers=(
            f"shaker {SIXTEENTHS}", "timbale_hi ............x.xx", BONGOS, "block x..x..x...x.x...",
            "cowbell x...x...x...x...", "guiro x.oox.oox.oox.oo", "conga_hi ......xo......xo",
        ),
        fills="latin",
    ),
    "swing": DrumBook(
        grooves=(
            "kick o...o...o...o... / ride x...x.o.x...x.o. / pedal ....x.......x... / snare ......g.......g.",
            "kick x...o...x...o... / hat x...x.o.x...x.o. / snare ....o.......o... / rim ............x...",
            "kick x...x...x...x... / snare ..g.x.g...g.x.g. / hat x.o.x.o.x.o.x.o.",
            "kick x...x...x...x... / snare ....x.......x... / ride x...x.o.x...x.o. / pedal ....x.......x...",
            "kick x...x...x...x... / clap ....x.......x... / open ..x...x...x...x. / hat x...x...x...x...",
            "kick o...o...o...o... / snare o.g.x.g.o.g.x.g. / pedal ....x.......x...",
        ),
        layers=(
            "tambourine ....x.......x...", "clap ....x.......x...", "block x.....x.........",
            "cowbell x...x...x...x...",
        ),
        fills="swing", real=("jazz",), real_share=0.35, real_clarity=0.3, human_s=0.006,
    ),
    "waltz": DrumBook(
        grooves=(
            "kick x........... / snare ....o...o... / hat x...x...x...",
            "kick x........... / pedal ....x...x... / ride x...x.o.x...",
            "kick x........... / rim ....x...x... / shaker x.o.x.o.x.o.",
            "kick x.......o... / snare ....x...g... / hat x.o.x.o.x.o.",
            "kick x.........o. / snare ....g...x... / ride x...x...x... / tambourine ....o...o...",
            "kick x.....x..... / snare ....x...x... / hat x.x.x.x.x.x.",
        ),
        layers=(
            "tambourine ....o...o...", "triangle x...........", "shaker x.o.x.o.x.o.", "clap ....x...x...",
        ),
        fills="acoustic", human_s=0.006,
    ),
}  # fmt: skip


def read_groove(text: str) -> tuple[tuple[str, str], ...]:
    """(piece, pattern) of a groove or layer."""
    return tuple((part.split()[0], part.split()[1]) for part in text.split(" / "))
