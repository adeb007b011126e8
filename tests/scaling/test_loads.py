"""Loads are read from tables, however they were recorded, and what is wrong with them is told."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from envcompile.errors import UsageError
from envcompile.scaling.loads import cleaned, kills, per_second, whole_column
from envcompile.scaling.loadtables import LoadFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from envcompile.scaling.loads import Load


def read(folder: Path, text: str) -> Load:
    """Read a CSV."""
    path = folder / "load.csv"
    path.write_text(text, encoding="utf-8")
    return LoadFile(path).load()


@pytest.mark.parametrize(
    "stamps",
    [
        ("2026-03-06T18:00", "2026-03-06T18:01"),
        ("2026-03-06T18:00:00Z", "2026-03-06T18:01:00Z"),
        ("2026-03-06 19:00:00+01:00", "2026-03-06 19:01:00+01:00"),
        ("1772820000", "1772820060"),
        ("1772820000000", "1772820060000"),
    ],
)
def test_times_as_people_and_programs_write_them(tmp_path: Path, stamps: tuple[str, str]) -> None:
    """Without a zone they are UTC."""
    load = read(tmp_path, f"time,cpu\n{stamps[0]},1.5\n{stamps[1]},2\n")
    assert load.start == datetime(2026, 3, 6, 18, tzinfo=UTC)
    assert (load.samples, load.step) == (8, 60_000)
    assert per_second(load, "cpu").tolist() == [1.5] * 4 + [2.0] * 4


def test_the_column_of_times_has_any_place(tmp_path: Path) -> None:
    """By its name; text beside it is passed over, and so are lines of another width."""
    load = read(tmp_path, "host,cpu,Timestamp\nweb,1,2026-03-06T18:00\nweb,2\nweb,2,2026-03-06T18:01\n")
    assert list(load.values) == ["cpu"]
    assert len(load.times) == 2


def test_products_of_columns_and_numbers(tmp_path: Path) -> None:
    """Cores from requests a second and the cost of one."""
    load = read(tmp_path, "time,rps,cost\n2026-03-06T18:00,100,0.02\n2026-03-06T18:01,200,0.01\n")
    assert per_second(load, "rps*cost * 2").tolist() == [4.0] * 8
    assert per_second(load, "rps*250m").tolist() == [25.0] * 4 + [50.0] * 4
    with pytest.raises(UsageError, match=r"no column rqs.*\n.*did you mean `rps`"):
        per_second(load, "rqs")


def test_gaps_negatives_nan_and_clocks_that_go_back(tmp_path: Path) -> None:
    """Each is unknown or left out, and the load says how often."""
    rows = [
        ("18:00", "1"),
        ("18:01", "-4"),
        ("18:02", "NaN"),
        ("18:03", "inf"),
        ("18:02", "9"),
        ("18:04", "2"),
        ("19:00", "3"),
    ]
    load = read(tmp_path, "time,cpu\n" + "".join(f"2026-03-06T{at},{value}\n" for at, value in rows))
    assert load.notes == (
        "1 sample left out: the clock jumped",
        "1 sample of cpu missing",
        "2 samples of cpu unknown: below zero or infinite",
        "1 gap in time",
    )
    values = per_second(load, "cpu")
    assert values[:4].tolist() == [1.0] * 4
    assert np.isnan(values[4:16]).all()
    # A sample holds for three steps and no longer.
    assert values[16:28].tolist() == [2.0] * 12
    assert np.isnan(values[28:240]).all()
    assert values[-4:].tolist() == [3.0] * 4


@pytest.mark.parametrize("arranged", [reversed, lambda rows: Random(7).sample(rows, len(rows))])
def test_rows_in_no_order_of_time_are_sorted(tmp_path: Path, arranged: Callable[[list[str]], Iterable[str]]) -> None:
    """As the newest first, or as a database gives them; the load is the one of sorted rows."""
    rows = [f"{1_772_820_000 + 60 * minute},{minute % 7}\n" for minute in range(500)]
    sorted_rows = read(tmp_path, "time,cpu\n" + "".join(rows))
    load = read(tmp_path, "time,cpu\n" + "".join(arranged(rows)))
    assert load.notes == ("the rows stand in no order of time: they were sorted",)
    assert load.times.tolist() == sorted_rows.times.tolist()
    assert load.values["cpu"].tolist() == sorted_rows.values["cpu"].tolist()


@pytest.mark.parametrize(
    ("jumps", "lost"),
    [({100: 4_000_000_000}, 1), ({100: 4_000_000_000, 300: 5}, 2), ({200: 1_772_820_000}, 1)],
)
def test_a_clock_that_jumped_loses_its_own_samples_only(tmp_path: Path, jumps: dict[int, int], lost: int) -> None:
    """Ahead of its time, or behind: not all that follow until that time has come."""
    times = [jumps.get(minute, 1_772_820_000 + 60 * minute) for minute in range(500)]
    load = read(tmp_path, "time,cpu\n" + "".join(f"{one},1\n" for one in times))
    assert load.notes[0] == f"{lost} sample{'s' if lost > 1 else ''} left out: the clock jumped"
    assert len(load.times) == 500 - lost
    assert load.samples == 2000


@pytest.mark.parametrize(("separator", "number"), [(";", "0,5"), ("\t", "0.5"), (",", "500m"), (";", "500m")])
def test_tables_as_other_programs_write_them(tmp_path: Path, separator: str, number: str) -> None:
    """Spreadsheets part columns by semicolons or tabs, and kubectl prints quantities."""
    rows = [["time", "cpu", "memory"], ["2026-03-06T18:00", number, "1Gi"], ["2026-03-06T18:01", number, "512Mi"]]
    load = read(tmp_path, "".join(f"{separator.join(row)}\n" for row in rows))
    assert load.values["cpu"].tolist() == [0.5, 0.5]
    assert load.values["memory"].tolist() == [2.0**30, 2.0**29]


def test_a_counter_that_began_anew(tmp_path: Path) -> None:
    """Its growth counts, and after a restart what it has grown to since."""
    rows = "".join(f"2026-03-06T18:0{minute},{value}\n" for minute, value in enumerate((600, 1200, 60, 120)))
    load = read(tmp_path, f"time,requests_total\n{rows}")
    assert load.values["requests_total"][1:].tolist() == [10.0, 1.0, 1.0]
    assert "requests_total began anew 1 time" in load.notes


def test_unknown_samples_are_unknown_to_the_autoscaler() -> None:
    """Not zero: a metric that cannot be read does not scale down."""
    column = whole_column(np.array([0.25, np.nan]), 1e9)
    assert column.listed() == [250_000_000, None]


def test_numbers_beyond_counting_are_told() -> None:
    """Not wrapped around into another load."""
    for beyond in (1e11, 1e308, np.inf):
        with pytest.raises(UsageError, match="too large"):
            whole_column(np.array([1.0, beyond]), 1e9)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no table"),
        ("time\n1\n", "holds no table"),
        ("time,cpu\n", "holds no table"),
        ("time,name\n2026-03-06,web\n", "no column of numbers"),
        ("time,cpu\nmorning,1\nnoon,2\n", "holds no times"),
        ("time,cpu\n1,1\n99999999999,2\n", "lasts 6342 years"),
        ("time,cpu\n\x00,1\n", "no times|no CSV"),
        ('time,cpu\n1,"1,5"\n2,"1,7"\n', r"column cpu of .* holds no numbers, but '1,5'"),
        ("time,memory,rps\n1,,1\n2,,2\n", "column memory of .* holds no numbers, but empty cells"),
        ("time,pod,cpu\n1,a,1\n1,b,1\n2,a,1\n2,b,3\n", "2 of 4 rows of .* have the time of another row"),
    ],
)
def test_what_is_no_load_is_told(tmp_path: Path, text: str, told: str) -> None:
    """With the file, and what to write."""
    with pytest.raises(UsageError, match=told):
        read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """An error of usage."""
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        LoadFile(tmp_path / "none.csv").load()


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """Neither as CSV nor as Parquet."""
    for name in ("load.csv", "load.parquet"):
        path = tmp_path / name
        path.write_bytes(b"\xff\xfe\x00PAR1\x93")
        with pytest.raises(UsageError, match=r"is no (CSV|Parquet file)"):
            LoadFile(path).load()


def test_parquet(tmp_path: Path) -> None:
    """Instants with and without a zone, and numbers of any width."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    times = [datetime(2026, 3, 6, 18, minute, tzinfo=UTC) for minute in range(3)]
    for kind in (pa.timestamp("us"), pa.timestamp("ns", "Europe/Berlin")):
        table = pa.table({
            "ts": pa.array(times, type=kind),
            "cpu": pa.array([1, None, 3], type=pa.int32()),
            "host": ["a", "b", "c"],
        })
        parquet.write_table(table, tmp_path / "load.parquet")
        load = LoadFile(tmp_path / "load.parquet").load()
        assert load.start == times[0]
        assert list(load.values) == ["cpu"]
        assert load.notes == ("1 sample of cpu missing",)


def test_a_year_of_minutes_is_read_in_less_than_five_seconds(tmp_path: Path) -> None:
    """525,600 rows, of processor time, laid on the grid of 15 s."""
    stamps = np.datetime_as_string(np.arange("2026-01-01", "2027-01-01", dtype="datetime64[m]"))
    lines = (f"{stamp},{number % 977}.25,{number % 31}\n" for number, stamp in enumerate(stamps))
    path = tmp_path / "year.csv"
    path.write_text("time,rps,cpu\n" + "".join(lines), encoding="utf-8")
    started = time.process_time()
    load = LoadFile(path).load()
    values = per_second(load, "rps*0.01")
    assert time.process_time() - started < 5
    assert (len(values), load.notes) == (2_102_400, ())


def test_a_load_of_nothing() -> None:
    """Is told."""
    with pytest.raises(UsageError, match="no samples"):
        cleaned("x", np.array([], dtype=np.int64), {})


def test_kills_are_counted_by_row_or_by_a_counter(tmp_path: Path) -> None:
    """A counter that began anew holds what came since; unknown is none."""
    rows = [("18:00", "", "3"), ("18:01", "2", "5"), ("18:02", "0", "5"), ("18:03", "1", "1")]
    text = "".join(f"2026-03-06T{at},1,{one},{total}\n" for at, one, total in rows)
    load = read(tmp_path, f"time,cpu,oom_kills,other\n{text}")
    assert kills(load).tolist() == [0, 2, 0, 1]
    load = read(tmp_path, f"time,cpu,other,oom_kills_total\n{text}")
    assert kills(load).tolist() == [0, 2, 0, 1]
    assert kills(read(tmp_path, "time,cpu\n2026-03-06T18:00,1\n")).tolist() == [0]
