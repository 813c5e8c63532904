"""What is heard becomes the messages that other programs know."""

from __future__ import annotations

from d2m_core.live.session import Heard
from d2m_core.live.telling import Teller
from d2m_core.sync import Message


def test_every_kind_has_its_message() -> None:
    sent: list[Message] = []
    teller = Teller(sent.append)
    teller.tell(Heard("start", 5.0, 3.0, 120.0))
    for number in range(3, 9):
        teller.tell(Heard("beat", 5.0 + 0.5 * (number - 3), number, 120.0 + 2 * (number > 6), number % 4))
    teller.tell(Heard("hit", 7.1, 7.5, 122.0, 0.8))
    teller.tell(Heard("energy", 7.2, 7.6, 122.0, 0.51234))
    teller.tell(Heard("section", 7.3, 8.0, 122.0, name="drop"))
    teller.tell(Heard("end", 9.0, 12.0, 122.0))
    told = [(one.kind, one.value) for one in sent]
    assert told[:3] == [("start", 3), ("tempo", 120.0), ("beat", 3)]
    assert told[3:6] == [("beat", 4), ("downbeat", 4), ("bar", 0)]
    assert ("bar", 1) in told
    assert [one.value for one in sent if one.kind == "tempo"] == [120.0, 122.0]
    assert told[-4:] == [("accent", 0.8), ("energy", 0.512), ("section", "drop"), ("stop", 0.0)]
    assert all(one.time_s >= 5.0 for one in sent)
