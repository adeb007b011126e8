"""Announced events and holidays from a file: YAML of our own, or iCalendar (RFC 5545).

    events:
    - name: sale                   # events of one name are alike: what one did, the next will do
      start: 2026-11-27 20:00
      minutes: 120                 # or `end`
      adds: 20                     # optional: how many times the usual load comes on top, where none was recorded yet
    - name: christmas
      date: 2026-12-25             # a whole day ...
      like: sunday                 # ... with the load of another weekday

In an iCalendar file an event with a time is an event, and one of whole days is a holiday, with the load of a Sunday.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.errors import EnvcError, Problem, Problems
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY: Final = 86_400
_EPOCH: Final = dt.datetime(1970, 1, 1)  # ruff: ignore[call-datetime-without-tzinfo] - wall-clock time has no zone
_MOST_RECURRENCES: Final = 2000


class Event(NamedTuple):
    """Something announced: when it begins and ends, in seconds of the wall clock (see `Grid`)."""

    name: str
    start: int
    end: int
    adds: float | None = None
    """How many times the usual load comes on top; None: as the events of this name before."""
    like: int | None = None
    """The weekday (0 is Monday) whose load these days have; None: an event that comes on top."""


def read_calendar(data: bytes, name: str, timezone: str = "UTC") -> list[Event]:
    """The events of a file, by start.

    Args:
        data: the file.
        name: its name; `.ics` is iCalendar.
        timezone: in which wall clock they are asked for; times without a zone are of it.

    Raises:
        EnvcError: the file is no calendar, with every place that is wrong.
    """
    found = _of_icalendar(data, name, timezone) if name.endswith(".ics") else _of_yaml(data, name, timezone)
    return sorted(found, key=lambda event: (event.start, event.end, event.name))


def wall_clock(moment: dt.datetime, timezone: str) -> int:
    """A moment in seconds of the wall clock of a zone; one without a zone is of it already."""
    from zoneinfo import ZoneInfo

    if moment.tzinfo is not None:
        moment = moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return int((moment - _EPOCH).total_seconds())


def moment_of(time: int) -> dt.datetime:
    """Seconds of the wall clock as a date and time without a zone."""
    return _EPOCH + dt.timedelta(seconds=time)


def _of_yaml(data: bytes, name: str, timezone: str) -> Iterator[Event]:
    from envcompile.yamlio import load_all

    documents = [document for document in load_all(data, name) if document is not None]
    entries = documents[0].get("events") if len(documents) == 1 and isinstance(documents[0], dict) else None
    if not isinstance(entries, list):
        raise _wrong(name, "it has no list `events`")
    problems = Problems()
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_event(entry, timezone))
        except (ValueError, TypeError, KeyError) as error:
            why = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
            problems.add(
                f"event {number} of the calendar cannot be read: {why}",
                "give `name` with `start` and `minutes` (or `end`), or with `date` and `like`: envc guide autoscaling",
                Location(name, 0, 0),
            )
    problems.raise_any()
    yield from found


def _event(entry: dict[str, Any], timezone: str) -> Event:
    """One entry of the list.

    Raises:
        ValueError: something in it has no meaning.
        KeyError: something is missing.
    """
    if not isinstance(entry, dict):
        raise TypeError("it is no map")
    unknown = entry.keys() - {"name", "start", "end", "minutes", "adds", "date", "like"}
    if unknown:
        raise ValueError(f"`{min(map(str, unknown))}` has no meaning here")
    name = str(entry["name"])
    if "date" in entry:
        start = wall_clock(_moment(entry["date"]), timezone) // _DAY * _DAY
        like = str(entry.get("like", "sunday")).lower()
        if like not in WEEKDAYS:
            raise ValueError(f"`like` is no weekday: {like}")
        return Event(name, start, start + _DAY, like=WEEKDAYS.index(like))
    start = wall_clock(_moment(entry["start"]), timezone)
    if "minutes" in entry:
        end = start + int(float(entry["minutes"]) * 60)
    else:
        end = wall_clock(_moment(entry["end"]), timezone)
    if end <= start:
        raise ValueError("it ends before it starts")
    adds = float(entry["adds"]) if "adds" in entry else None
    if adds is not None and not 0 < adds < 1e6:
        raise ValueError("`adds` is a number above 0")
    return Event(name, start, end, adds)


def _moment(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)  # ruff: ignore[call-datetime-without-tzinfo] - wall-clock time
    return dt.datetime.fromisoformat(str(value))


def _of_icalendar(data: bytes, name: str, timezone: str) -> Iterator[Event]:
    try:
        from icalendar import Calendar
    except ImportError as error:
        what = f"{name} is read by icalendar, which is not installed"
        raise EnvcError([Problem(what, "pip install 'envcompile[forecast]', or write the events as YAML")]) from error
    try:
        parsed = Calendar.from_ical(data)
        entries = list(parsed.walk("VEVENT"))
        for entry in entries:
            yield from _of_entry(entry, timezone)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _wrong(name, str(error)) from error


def _of_entry(entry: Any, timezone: str) -> Iterable[Event]:
    """The occurrences of one VEVENT."""
    start, name = entry["DTSTART"].dt, str(entry.get("SUMMARY", "event"))
    if "DTEND" in entry:
        end = entry["DTEND"].dt
    elif "DURATION" in entry:
        end = start + entry["DURATION"].dt
    else:
        end = start + (dt.timedelta(hours=1) if isinstance(start, dt.datetime) else dt.timedelta(days=1))
    is_day = not isinstance(start, dt.datetime)
    like = WEEKDAYS.index("sunday") if is_day else None
    for moment in _occurrences(entry, start):
        first, last = wall_clock(_moment(moment), timezone), wall_clock(_moment(moment + (end - start)), timezone)
        if last > first:
            yield Event(name, first, last, like=like)


def _occurrences(entry: Any, start: Any) -> list[Any]:
    """The starts of an entry that may recur; those of endless ones up to a bound."""
    if "RRULE" not in entry:
        return [start]
    from itertools import islice

    from dateutil.rrule import rrulestr

    first = _moment(start)
    rule = rrulestr(entry["RRULE"].to_ical().decode(), dtstart=first)
    found = list(islice(rule, _MOST_RECURRENCES))
    return found if isinstance(start, dt.datetime) else [moment.date() for moment in found]


def _wrong(name: str, why: str) -> EnvcError:
    fix = "give a YAML file with `events`, or an iCalendar file: envc guide autoscaling"
    return EnvcError([Problem(f"{name} is no calendar: {why}", fix, (Location(name, 0, 0),))])
