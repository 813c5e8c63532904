"""Notices as people and programs read them."""

from __future__ import annotations

import json

from d2m_core.notices import Notice, as_json, in_words

FOUND = (Notice(None, "The beats are unsure.", "unsure-beats"), Notice(4.26, "The dancer is lost.", "lost"))


def test_people_read_a_line_each_with_its_time() -> None:
    assert in_words(FOUND) == "The beats are unsure.\n4.3 s: The dancer is lost."
    assert in_words(()) == ""


def test_programs_read_the_same() -> None:
    assert json.loads(json.dumps(as_json(FOUND))) == [
        {"at_s": None, "text": "The beats are unsure.", "kind": "unsure-beats"},
        {"at_s": 4.26, "text": "The dancer is lost.", "kind": "lost"},
    ]
