"""Drum fills by kind: the last four beats before something new."""

from __future__ import annotations

FILLS: dict[str, tuple[str, ...]] = {
    "acoustic": (
        "snare ........x.x.xxxx",
        "snare ............xxxx",
        "snare ........xx.xx.xX",
        "snare ........xx...... / tom_hi ..........xx.... / tom_lo ............xxxX",
        "tom_hi ........x.x..... / tom_mid ..........x.x... / tom_lo ............x.xX",
        "snare xoxx............ / tom_hi ....xoxx........ / tom_mid ........xoxx...."
        " / tom_lo ............xxxX",
        "snare ..........x..x.x / tom_lo ............x.x.",
        "snare ........o.oxoxxX / kick ........x...x...",
    ),
    "electronic": (
        "snare ........x.x.xxxx",
        "clap ..........x..xxx",
        "snare ............xxxx",
        "tom_hi ........x..x.... / tom_lo ..............xX",
        "hat ............rrrr / clap ............x..x",
        "snare ......x..x..x.xx",
        "clap ............x.xx / open ............x...",
    ),
    "hiphop": (
        "snare ..........x..x.x",
        "kick ........x.xx.... / snare ............x.xx",
        "snare ............x.rr",
        "clap ............x..x / hat ........xxxxrr..",
        "tom_lo ........x..x.... / snare ............x.x.",
        "snare ........g.o.x.xx",
    ),
    "latin": (
        "timbale_hi ........xxxxx.x. / timbale_lo ..............xX",
        "timbale_hi ............xxxX",
        "timbale_hi ........x..x..x. / snare ............x.xx",
        "snare ........x.x.xxxX",
        "conga_hi ........xx.xx... / conga_lo ............xxxX",
    ),
    "trap": (
        "snare ........x...x.xx / hat ........ttrrttrr",
        "snare ............x.tt",
        "hat ............tttt",
        "snare ........x..x..xx",
        "clap ............x.rr / hat ........rrrr....",
    ),
    "swing": (
        "snare ........x.x.x.xX",
        "snare ........x.ox..x.",
        "snare ....x.x.x.x.x.X.",
        "tom_hi ........x.x..... / tom_lo ............x.X.",
        "snare ............x.X. / kick ........x...x...",
    ),
}
"""A fill starts with its first stroke."""
