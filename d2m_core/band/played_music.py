"""Harmony, lines and instruments of the styles whose home is the stage."""

from __future__ import annotations

from .music_style import MusicBook, Voice

STRINGS: tuple[Voice, ...] = (48, 49, 50, "string_machine")

PLAYED_MUSIC: dict[str, MusicBook] = {
    "disco": MusicBook(
        progressions=(
            ("minor", "Im7 IVm7 bVII7 bIIImaj7"), ("dorian", "Im7 IV9"), ("minor", "Im7 bVII bVImaj7 V7"),
            ("major", "Imaj7 VIm7 IIm7 V7"), ("minor", "bVImaj7 bVII Im7 Im7"),
            ("dorian", "Im9 Im9 IV13 IV13"), ("major", "IVmaj7 IIIm7 IIm7 V7sus4"),
            ("minor", "Im7 Im7 IVm7 V7#9"),
        ),
        bass=(
            "1.8.1.8.1.8.1.8.", "1-8-1-8-5-8-a-8-", "1..81.8.1..81.8a", "1.8.1.8.5.8.7.8.",
            "1.1.81..3.3.5.6.",
        ),
        bass_voices=(33, 36, 34, 38, "saw_bass", 37),
        comp=("..x...x...x...x.", "..xx..xx..xx..xx", "x..x..x...x.x...", "xoxxoxoxxoxxoxox"),
        comp_voices=(27, 28, 4, 1, 7, "guitar", 5),
        pad_voices=STRINGS,
        lead_voices=(61, 65, 73, 11, "square_lead", "saw_lead", 56),
        arps=("0123012301230123", "0.1.2.3.4.3.2.1."),
        arp_voices=(48, 45, 27, "pluck", 11),
        horns=("x.x...x.........", "..x..x..x.......", "x..x..x.x...x.x.", "............x.xx"),
        horn_voices=(61, 62, 61, "brass", 48),
        chances={"pad": 0.95, "lead": 0.6, "arp": 0.35, "horns": 0.8},
        levels_db={"pad": 2.0},
        kits=("acoustic", "electronic"), duck=(0.0, 0.3),
    ),
    "funk": MusicBook(
        progressions=(
            ("dorian", "I9 I9 I9 IV9"), ("dorian", "Im7 IV9"), ("mixolydian", "I7#9 I7#9 I7#9 I7#9"),
            ("dorian", "Im7 Im7 IV9 IV9"), ("mixolydian", "I9 I9 bVII9 IV9"),
            ("dorian", "Im9 Im9 bIIImaj7 IV9"), ("blues", "I7 I7 IV7 I7 V7 IV7 I7 V7"),
        ),
        bass=(
            "1..8..7.1...5.7.", "1.18....1.5.7.8.", "1.....81..7.1.a.", "1..1.8.7..5.1.8.",
            "1-..1.8...7.5.a.", "1.1...8.7...1.5.",
        ),
        bass_voices=(36, 37, 33, 39, "saw_bass", 38),
        comp=(
            "x..x....x..x....", "x.....x.x.....x.", "..xo..x...xo..x.", "oxooxoxooxooxoxo",
            "x..xo.x....xo.x.",
        ),
        comp_voices=(7, 28, 27, 16, 4, "guitar", 18),
        pad_voices=(16, 18, 48, "organ_stab"),
        lead_voices=(65, 66, 27, 61, 56, "saw_lead", "brass"),
        arps=("0..1..2.0..1..3.",),
        arp_voices=(28, 7, "guitar"),
        horns=(
            "x..x............", "..x..x..........", "x.x...x..x......", "......x.x.......",
            "x.........x..x..",
        ),
        horn_voices=(61, 61, 65, 62, "brass"),
        chances={"pad": 0.35, "lead": 0.65, "arp": 0.15, "horns": 0.9},
        levels_db={"bass": 1.5, "horns": 0.5},
        kits=("acoustic",), centre=64,
    ),
    "latin": MusicBook(
        progressions=(
            ("minor", "Im7 IVm7 V7 Im7"), ("minor", "Im bVII bVI V7"), ("major", "I IV V7 IV"),
            ("dorian", "Im7 IV9"), ("major", "IIm7 V9 Imaj7 VI7"), ("minor", "Im Im V7 V7 V7 V7 Im Im"),
            ("major", "I6 VI7 IIm7 V7"),
        ),
        bass=(
            "...5--n-....5-n-", "1..5--8-1..5--n-", "1--.5-8-1--.5-n-", "1-..5-..1-..5-a-",
            "1--15-8-1--15-8-",
        ),
        bass_voices=(32, 33, 35, 34, "organ_bass", "square_bass"),
        comp=(
            "x.xx.xx.x.xx.xx.", "x.x.xx.x.x.xx.x.", "x..x..x...x.x...", "..x...x...x...x.",
            "xox.xox.xox.xox.",
        ),
        comp_voices=(0, 1, 24, 25, 21, 3, "soft_keys", "guitar"),
        pad_voices=(48, 52, 21, "string_machine"),
        lead_voices=(73, 56, 114, 65, 24, 66, "flute", "brass"),
        arps=("0.12.30.12.30.12", "0.2.31.20.2.31.2"),
        arp_voices=(24, 12, 114, 0, "marimba"),
        horns=("x..x..x...x.x...", "x.x...x.........", "..x..x..x.......", "x...x..xx..x..x."),
        horn_voices=(61, 56, 57, "brass"),
        chances={"pad": 0.3, "lead": 0.7, "arp": 0.3, "horns": 0.75},
        levels_db={"chords": 2.0},
        kits=("acoustic", "acoustic", "electronic"), size=3, centre=66,
    ),
    "pop": MusicBook(
        progressions=(
            ("major", "I V VIm IV"), ("major", "VIm IV I V"), ("major", "I VIm IV V"),
            ("major", "IV I V VIm"), ("minor", "Im bVI bIII bVII"), ("minor", "Im bVII bVI bVII"),
            ("major", "I IIIm IV V"), ("major", "Iadd9 Vsus4 VIm7 IVmaj7"), ("major", "IV V VIm I"),
        ),
        bass=(
            "1.1.1.1.1.1.1.1.", "1--1--1-1--1--1-", "1-----1-1-----a-", "1.8.1.8.1.8.1.8.",
            "1---1-1-----5-a-",
        ),
        bass_voices=(33, 34, 38, "saw_bass", "square_bass", "pulse_bass", 39),
        comp=(
            "x---x---x---x---", "x--x--x-x--x--x-", "x...x...x...x.x.", "..x...x...x...x.",
            "x-x-x-x-x-x-x-x-", "x-------x-------",
        ),
        comp_voices=(0, 1, 25, 27, 4, "saw_stab", "soft_keys", 24, 5),
        pad_voices=(*STRINGS, "warm_pad", 89),
        lead_voices=(80, 73, "square_lead", "supersaw", 11, 53, "whistle", "pluck"),
        arps=("0.1.2.1.0.1.2.1.", "0123210301232103", "0..1..2.0..1..2.", "0.2.1.2.3.2.1.2."),
        arp_voices=("pluck", 24, 11, 46, "square_pluck", 45, "bell", 27),
        horns=("x..x..x.........", "x...x...x...x...", "..x...x...x...x."),
        horn_voices=(61, 62, 48, "brass", "supersaw"),
        chances={"pad": 0.8, "lead": 0.8, "arp": 0.6, "horns": 0.3},
        levels_db={"lead": 0.5},
        kits=("electronic", "acoustic"), size=3, duck=(0.0, 0.35),
    ),
    "rock": MusicBook(
        progressions=(
            ("mixolydian", "I5 bVII5 IV5 I5"), ("minor", "I5 bVI5 bVII5 I5"), ("major", "I5 V5 VI5 IV5"),
            ("minor", "I5 bIII5 IV5 bVI5"), ("blues", "I5 I5 IV5 I5 V5 IV5 I5 V5"),
            ("minor", "I5 I5 bVI5 bVII5"), ("major", "I5 IV5 V5 IV5"),
        ),
        bass=(
            "1.1.1.1.1.1.1.1.", "1.1.1.1.1.1.5.a.", "1--1--1-1--1--1-", "1-..1.1.1-..1.a.",
            "1.8.1.8.5.8.1.8.",
        ),
        bass_voices=(34, 33, 34, "saw_bass"),
        comp=(
            "x.x.x.x.x.x.x.x.", "x-----x-x-----x-", "x-------x-x-x---", "x..x..x.x..x..x.",
            "xoxoxoxoxoxoxoxo", "x---x-x-x---x-x-",
        ),
        comp_voices=(30, 29, 30, 29, 27, "fuzz"),
        pad_voices=(18, 16, 48, "organ_stab"),
        lead_voices=(30, 29, 18, "fuzz", 27, 0),
        arps=("0.1.2.1.0.1.2.1.", "0..1..2.0..1..2."),
        arp_voices=(27, 25, "guitar"),
        horns=("x...x...x..x..x.", "x.....x........."),
        horn_voices=(18, 61, "brass"),
        chances={"pad": 0.4, "lead": 0.7, "arp": 0.35, "horns": 0.15},
        levels_db={"chords": 1.5, "bass": 0.5},
        kits=("acoustic",), size=3, centre=52, hall_s=(0.7, 1.4), lufs=-13.5,
    ),
    "swing": MusicBook(
        progressions=(
            ("major", "I6 VI7 IIm7 V7"), ("major", "Imaj7 IIm7,V7 Imaj7 IIm7,V7"),
            ("blues", "I7 IV7 I7 I7 IV7 IV7 I7 VI7 IIm7 V7 I7,VI7 IIm7,V7"), ("minor", "Im6 Im6 IVm6 V7"),
            ("major", "I6 I7 IV6 #IVdim7 I6,VI7 IIm7,V7 I6 V7"), ("minor", "Im7 IVm7 IIm7b5 V7b9"),
            ("major", "IIm9 V13 Imaj9 VI7b9"),
        ),
        bass=("1...3...5...a...", "1...5...8...a..."),
        bass_voices=(32, 32, 32, 33, "organ_bass"),
        comp=(
            "x...............", "x.....x.........", "..x.....x.......", "......x...x.....",
            "x...x...x...x...", "x.....x...x.....", "....x.......x...",
        ),
        comp_voices=(0, 26, 26, 4, 16, 0, "e_piano"),
        pad_voices=(48, 16, 52, "organ_stab"),
        lead_voices=(66, 65, 56, 59, 71, 11, 0, "brass", "flute"),
        horns=(
            "x.....x.........", "..x...x.........", "x.x...x...x.....", "......x.......x.",
            "x...x.x.........",
        ),
        horn_voices=(61, 57, 65, 66, "brass"),
        chances={"pad": 0.15, "lead": 0.9, "arp": 0.0, "horns": 0.85},
        levels_db={"bass": 1.0, "lead": 0.5},
        kits=("jazz", "acoustic"), lead_notes=0.75, hall_s=(0.8, 1.5), lufs=-14.5, pairs=True,
    ),
    "waltz": MusicBook(
        progressions=(
            ("major", "I I V7 V7 V7 V7 I I"), ("major", "I VIm IIm V7"), ("minor", "Im Im IVm V7"),
            ("major", "Imaj7 IVmaj7 IIm7 V7"), ("minor", "Im bVII bVI V7"), ("major", "I IV I V7"),
            ("major", "I IIIm IV IVm I VIm IIm7 V7"),
        ),
        bass=("1---........", "1-------5---", "1---5---8---", "1-----5-a---", "1-------..a-"),
        bass_voices=(32, 43, 33, 58, "organ_bass", "sub"),
        comp=(
            "....x...x...", "....x---x---", "..x.x.x.x.x.", "....x.x.x...", "....x...x.x.", "x-----------",
        ),
        comp_voices=(0, 21, 24, 45, 48, 26, "soft_keys", 4, 46),
        pad_voices=(48, 49, 52, "string_machine", 50, "warm_pad"),
        lead_voices=(40, 73, 71, 0, 21, 11, 56, "flute", 68, 60),
        arps=("0.1.2.3.2.1.", "0.2.1.2.3.2.", "012321012321"),
        arp_voices=(46, 0, 24, 11, 45, "bell"),
        horns=("x.......x...", "x...x...x...", "x..........."),
        horn_voices=(61, 60, 48, "brass"),
        chances={"pad": 0.8, "lead": 0.9, "arp": 0.5, "horns": 0.3},
        levels_db={"chords": 2.0, "bass": 0.5},
        kits=("acoustic", "jazz"), size=3, lead_notes=0.5, hall_s=(1.2, 2.4), lufs=-14.5,
    ),
}  # fmt: skip
