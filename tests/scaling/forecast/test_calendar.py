"""Calendars are YAML or iCalendar; what is wrong with one is told with every place."""

from __future__ import annotations

import datetime as dt

import pytest

from envcompile.errors import EnvcError
from envcompile.scaling.forecast.calendar import Event, moment_of, read_calendar, wall_clock

_YAML = b"""
events:
- name: sale
  start: 2026-11-27 20:00
  minutes: 120
- name: launch
  start: 2026-11-20T18:00:00+00:00
  end: 2026-11-20T19:30:00+00:00
  adds: 12
- name: christmas
  date: 2026-12-25
"""
_ICALENDAR = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//calendar//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20261127T190000Z
DTEND:20261127T210000Z
SUMMARY:sale
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20261225
DTEND;VALUE=DATE:20261226
SUMMARY:christmas
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTAMP:20260101T000000Z
DTSTART:20261201T080000Z
DURATION:PT1H
RRULE:FREQ=WEEKLY;COUNT=3
SUMMARY:newsletter
END:VEVENT
END:VCALENDAR
"""


def _time(*parts: int) -> int:
    return wall_clock(dt.datetime(*parts), "UTC")  # type: ignore[arg-type]  # ruff: ignore[call-datetime-without-tzinfo] - wall-clock time


def test_a_calendar_in_yaml() -> None:
    """Times without a zone are of the asked one, others are taken there."""
    assert read_calendar(_YAML, "calendar.yaml", "Europe/Berlin") == [
        Event("launch", _time(2026, 11, 20, 19), _time(2026, 11, 20, 20, 30), 12.0),
        Event("sale", _time(2026, 11, 27, 20), _time(2026, 11, 27, 22)),
        Event("christmas", _time(2026, 12, 25), _time(2026, 12, 26), like=6),
    ]


def test_a_calendar_in_icalendar() -> None:
    """Whole days are holidays; what recurs is there each time."""
    found = read_calendar(_ICALENDAR, "calendar.ics", "Europe/Berlin")
    assert found[0] == Event("sale", _time(2026, 11, 27, 20), _time(2026, 11, 27, 22))
    assert [moment_of(event.start).isoformat() for event in found if event.name == "newsletter"] == [
        "2026-12-01T09:00:00",
        "2026-12-08T09:00:00",
        "2026-12-15T09:00:00",
    ]
    assert found[-1] == Event("christmas", _time(2026, 12, 25), _time(2026, 12, 26), like=6)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"[]", "no list `events`"),
        (b"events: [5]", "it is no map"),
        (b"events: [{name: a, minutes: 5}]", "`start` is missing"),
        (b"events: [{name: a, start: tomorrow, minutes: 5}]", "event 1 of the calendar cannot be read"),
        (b"events: [{name: a, start: 2026-01-01 10:00, minutes: 0}]", "it ends before it starts"),
        (b"events: [{name: a, start: 2026-01-01 10:00, minutes: 5, adds: -1}]", "`adds` is a number above 0"),
        (b"events: [{name: a, start: 2026-01-01 10:00, minutes: 5, height: 1}]", "`height` has no meaning here"),
        (b"events: [{name: a, date: 2026-01-01, like: someday}]", "`like` is no weekday: someday"),
    ],
)
def test_what_is_wrong_with_a_calendar_is_told(text: bytes, told: str) -> None:
    """With the file's name."""
    with pytest.raises(EnvcError, match=told) as caught:
        read_calendar(text, "calendar.yaml")
    assert "calendar.yaml" in str(caught.value)


def test_all_wrong_events_are_told_at_once() -> None:
    """One run, all mistakes."""
    with pytest.raises(EnvcError) as caught:
        read_calendar(b"events: [{name: a}, {name: b}]", "calendar.yaml")
    assert len(caught.value.problems) == 2


def test_what_is_no_icalendar_is_told() -> None:
    """As an error of the file."""
    with pytest.raises(EnvcError, match=r"calendar\.ics is no calendar"):
        read_calendar(b"nothing", "calendar.ics")
