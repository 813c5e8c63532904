"""Which seeds belong to what, so that nothing is measured on what was trained on.

A seed names a dance, a piece of band music, or both. Every range below is used for one purpose
only; whatever is new takes a free range and writes it down here.

| seeds | what for |
|---|---|
| 0 and up | pool of the codec; the first shipped transformer's pairs, too, took 0-179 |
| 1_000-3_999 | training dances of the rhythm network until version 0.1.0 |
| 100_000 and up | pairs that the transformer trains on, and the codec d2m-2 (to 100_599) |
| 130_000 and up | music that the style judge learns on; from 140_000 by the model's bands |
| 160_000 and up | music that the decoder of d2m-2 was tuned on, with pairs of 110_000 and 130_000 |
| 170_000 and up | pairs at any tempo that the transformer trains on |
| 200_000 and up | straight pairs of transformer and codec of straight music; from 300_000 answered ones |
| 700_000 and up | music that the ear learns beats in; to 700_959 sparingly answered pairs, too |
| 790_000 and up | music that the ear is measured on while it learns |
| 795_000 and up | development of the ear: its decoder's settings and confidence are chosen on these |
| 890_000 and up | straight music that measures codecs and their repeats |
| 900_000 and up | music that measures the codec |
| 8_000_000 and up | music that `training.check_styles` measures |
| 8_500_000 and up | music that `benchmarks.align` brings onto dances |
| 8_600_000 and up | music that `benchmarks.ears` compares ears on |
| 8_700_000 and up | dances whose films `benchmarks.builder` builds data sets of |
| 8_800_000 and up | dances that `benchmarks.live` is played to |
| 9_000_000 and up | dances for `training.evaluate music` |
| 9_500_000 and up | rendered dances for `training.evaluate rhythm` and `music`; +100: demo, tests |
| 9_600_000 and up | drawn clips that the noise model is fitted to and checked on |
| 9_900_000 and up | groups of people whose identities are known, for `training.evaluate people` |
| 10_000_000 and up | validation of the rhythm network |
| 11_000_000 and up | landmarks of dances for `training.evaluate rhythm`, set studio |
| 12_000_000 and up | dances that the ablations of the rhythm network are scored on |
| 20_000_000 and up | development: settings of accents and of the beat decoder chosen on these |
| 30_000_000 and up | training dances of the rhythm network |
| 35_000_000 and up | dances that the network for running dances is fitted to |
| 40_000_000 and up | those of them that are drawn and looked at with MediaPipe |
"""

from __future__ import annotations

CODEC_POOL_SEED = 0
"""Pieces of band music that the codec trains on have seeds from here on."""

RHYTHM_SEED = 30_000_000
"""Training dances of the rhythm network have seeds from here on."""

RUNNING_SEED = 35_000_000
"""Dances that the network for running dances is fitted to have seeds from here on."""

DRAWN_SEED = 40_000_000
"""Training dances of the rhythm network that are drawn to pixels have seeds from here on."""

ABLATION_SEED = 12_000_000
"""Dances from here on score what the rhythm network is like without one thing or another."""

PAIRS_SEED = 100_000
"""Pairs of dance and music have seeds from here on."""

CODEC_HELD_OUT_SEED = 900_000
"""Band music from here on only measures the codec."""

STRAIGHT_SEED = 200_000
"""Straight pairs, which codec and transformer train on, have seeds from here on."""

EAR_SEED = 700_000
"""Music that the ear learns beats in has seeds from here on."""

EAR_HELD_OUT_SEED = 790_000
"""Music from here on tells while the ear learns how well it hears."""

EAR_DEVELOPMENT_SEED = 795_000
"""Music from here on chooses settings: the ear's decoder, its confidence."""

STRAIGHT_HELD_OUT_SEED = 890_000
"""Straight music from here on measures codecs."""

STYLE_CHECK_SEED = 8_000_000
"""Plans from here on are played to measure the band's styles."""

ALIGN_SEED = 8_500_000
"""Music from here on is brought onto dances to measure the alignment."""

EARS_SEED = 8_600_000
"""Music from here on compares ears; nothing learns from it and nothing is chosen by it."""

BUILT_SEED = 8_700_000
"""Dances from here on are filmed to measure how fast data sets are built."""

UNSEEN_SEED = 9_000_000
"""Dances from here on score the whole chain; no training run uses them."""

RENDERED_SEED = 9_500_000
"""Dances from here on are rendered to pixels to score the rhythm; no training run uses them."""

DEMO_SEED = RENDERED_SEED + 117
"""The dance of the demo and of the benchmarks."""

TESTS_SEED = RENDERED_SEED + 133
"""The dance of the end-to-end test."""

NOISE_SEED = RENDERED_SEED + 100_000
"""Scenes from here on are drawn to fit and to check the noise model."""

RHYTHM_HELD_OUT_SEED = 10_000_000
"""Dances from here on validate the rhythm network while it trains."""

RHYTHM_SCORE_SEED = 11_000_000
"""Dances from here on score the rhythm network on landmarks; no training run uses them."""

LIVE_SEED = 8_800_000
"""Dances from here on are played to by the live band of `benchmarks.live`."""

PEOPLE_SEED = 9_900_000
"""Groups whose identities are known; `evaluate people`."""

DEVELOPMENT_SEED = 20_000_000
"""Dances from here on choose settings: accents, beat decoder, confidence."""
