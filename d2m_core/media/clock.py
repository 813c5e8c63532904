"""A file's clock made straight: it begins at 0, rises, and knows where a recording was joined.

Every pass over a file (facts, pictures, sound, copied packets) takes its packets through `Clock`, so that all
see the same times. FFmpeg itself undoes the wrap of MPEG's 33-bit clock, by times below 0; what else real
files hold is mended here: recordings put one behind the other, encoders that started again, jumps, equal
and falling time stamps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from itertools import chain, islice

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

_FALLBACK_FPS = Fraction(25)
"""Frame rate where neither the file nor the stream states one."""

_OVERLAP_S = 0.1
"""Times that fall by no more overlap; after a longer fall the clock started again, as in FFmpeg's program."""

_JUMP_S = 10.0
"""A longer step forward is no pause where clocks are known to jump (as in FFmpeg's program)."""

_CLOCKS_JUMP = 0x0200
"""FFmpeg's AVFMT_TS_DISCONT: broadcast and streaming formats, whose clocks may jump."""

_BACK_IN_STEP_S = 1.0
"""After a stray time stamp pictures are back on a known clock if it puts them within so much."""

_FOLLOWS_S = 10.0
"""By how much the sound of a joined part may begin elsewhere than where the sound before it ended."""

_REORDERED = 64
"""Packets that show how far pictures are sent ahead of their turn."""

_SHORTEST_S = 0.0015
"""Pictures that FFmpeg says to be shorter are those of a rate that it guessed from the clock's own ticks."""

_ONE_SEGMENT_IDS = (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67")


@dataclass
class _Hand:
    """Where one stream stands."""

    shift_s: float = 0.0
    next_s: float | None = None
    """When its next packet is due."""


class Clock:
    """Straightens the times of one pass over a file, packet by packet.

    `leader` is the index of the stream of pictures: where its times fall or jump, a new shift begins that
    lets them go on without a break. Sound goes over to a known shift where its own times fall or jump.
    `shifts_s` are known from an earlier pass; a pass that holds the pictures finds them again.
    """

    def __init__(
        self, container: InputContainer, pictures: VideoStream | None, shifts_s: tuple[float, ...] = (0.0,)
    ) -> None:
        self.shifts_s = list(shifts_s)
        """What is added to the file's own times, one for each start of its clock."""
        self._leader = None if pictures is None else pictures.index
        self._frame_s = 0.0 if pictures is None else frame_length(pictures)
        self._longest_s = _JUMP_S if container.format.flags & _CLOCKS_JUMP else float("inf")
        # Matroska has no decoding times: FFmpeg's guesses fail where times fall, but those of shown
        # pictures rise from key to key.
        self._by_keys = "matroska" in container.format.name
        self._hands: dict[int, _Hand] = {}

    def straighten(self, packet: Packet) -> None:
        """Moves the packet's time stamps onto the straight clock."""
        unit = packet.time_base
        if not unit:
            return
        if packet.stream_index == self._leader and float((packet.duration or 0) * unit) < _SHORTEST_S:
            packet.duration = 0
        hand = self._hands.setdefault(packet.stream_index, _Hand(self.shifts_s[0]))
        by_keys = self._by_keys and packet.stream_index == self._leader
        ticks = packet.pts if by_keys else packet.dts
        if ticks is not None:
            length_s = float((packet.duration or 0) * unit)
            self._watch(hand, packet, float(ticks * unit), length_s)
        moved = round(hand.shift_s / unit)
        if moved:
            packet.dts = None if packet.dts is None else packet.dts + moved
            packet.pts = None if packet.pts is None else packet.pts + moved

    def _watch(self, hand: _Hand, packet: Packet, time_s: float, length_s: float) -> None:
        leads = packet.stream_index == self._leader
        by_keys = leads and self._by_keys
        if leads and not length_s:
            length_s = self._frame_s
        if hand.next_s is not None and (packet.is_keyframe or not by_keys):
            late_s = time_s + hand.shift_s - hand.next_s
            overlap_s = max(_OVERLAP_S, 1.5 * length_s)
            if not -overlap_s < late_s < self._longest_s:
                hand.shift_s = self._other_shift(hand, hand.next_s - time_s, leads, overlap_s)
        end_s = time_s + hand.shift_s + length_s
        hand.next_s = end_s if hand.next_s is None or not by_keys else max(hand.next_s, end_s)

    def _other_shift(self, hand: _Hand, wanted_s: float, leads: bool, overlap_s: float) -> float:
        """The known shift that comes nearest to the wanted one; pictures may begin a new one."""
        low_s, high_s = (-overlap_s, _BACK_IN_STEP_S) if leads else (-_FOLLOWS_S, _FOLLOWS_S)
        others = [s for s in self.shifts_s if s != hand.shift_s and low_s < s - wanted_s < high_s]
        if others:
            return min(others, key=lambda s: abs(s - wanted_s))
        if not leads:
            return hand.shift_s
        self.shifts_s.append(wanted_s)
        return wanted_s


class Rising:
    """Nudges times that do not rise by as little as can be, as FFmpeg's program does for copies."""

    def __init__(self) -> None:
        self._last: int | None = None

    def __call__(self, ticks: int) -> int:
        self._last = ticks if self._last is None else max(ticks, self._last + 1)
        return self._last


def copied_packets(
    source: InputContainer, pictures: VideoStream, target: VideoStream, zero_s: float, restarts: bool = False
) -> Iterator[Packet]:
    """The packets of all pictures for a stream of another file; what is shown at `zero_s` comes at 0.

    Pictures before the first key picture are left out: nobody can decode them.
    """
    rising = Rising()
    packets = _straight_packets(source, pictures, zero_s)
    if restarts and "matroska" in source.format.name:
        packets = _with_decoding_times(packets)
    for packet in packets:
        if packet.dts is not None:
            packet.dts = rising(packet.dts)
            packet.pts = packet.dts if packet.pts is None else max(packet.pts, packet.dts)
        packet.stream = target
        yield packet


def _straight_packets(source: InputContainer, pictures: VideoStream, zero_s: float) -> Iterator[Packet]:
    clock, begun = Clock(source, pictures), False
    for packet in source.demux(pictures):
        begun = begun or packet.is_keyframe
        unit = packet.time_base
        if not packet.size or not begun or not unit:
            continue
        clock.straighten(packet)
        zero = round(zero_s / unit)
        packet.pts = None if packet.pts is None else packet.pts - zero
        packet.dts = None if packet.dts is None else packet.dts - zero
        if not packet.duration:  # else the edit list of an MP4 hides the last picture
            packet.duration = round(frame_length(pictures) / unit)
        yield packet


def _with_decoding_times(packets: Iterator[Packet]) -> Iterator[Packet]:
    """New decoding times, made from those at which pictures are shown."""
    first = list(islice(packets, _REORDERED))
    shown = [packet.pts or 0 for packet in first]
    delay = max((sum(a > b for a in shown[:k]) for k, b in enumerate(shown)), default=0)
    waiting = [shown[0] - (delay - k) * (first[0].duration or 1) for k in range(delay)] if first else []
    for packet in chain(first, packets):
        heappush(waiting, packet.pts or 0)
        packet.dts = heappop(waiting)
        yield packet


def frame_length(stream: VideoStream) -> float:
    """Seconds per frame on average."""
    rate = stream.average_rate or stream.guessed_rate or _FALLBACK_FPS
    return float(1 / (rate if rate * _SHORTEST_S < 1 else _FALLBACK_FPS))


def may_restart(container: InputContainer, pictures: VideoStream) -> bool:
    """Whether the file's clock may start again on the way, so that only reading all of it tells.

    The tables of MP4 and AVI cannot say so. Matroska files are one segment unless they were joined.
    """
    kind = container.format.name
    if "mp4" in kind:
        return not pictures.frames  # none in the header: made of fragments
    if "matroska" in kind:
        return not _is_one_segment(container.name, container.size)
    return kind not in ("avi", "asf")


def _is_one_segment(name: str, size: int) -> bool:
    """Whether a Matroska file ends where its first segment says that it ends."""
    with open(name, "rb") as file:
        start = file.read(4096)
    at = 0
    for wanted in _ONE_SEGMENT_IDS:
        if start[at : at + 4] != wanted or at + 12 > len(start):
            return False
        width = 9 - start[at + 4].bit_length()  # a number's leading zeros tell how long it is
        length = int.from_bytes(start[at + 4 : at + 4 + width], "big") - (1 << 7 * width)
        at += 4 + width + length
    return at == size
