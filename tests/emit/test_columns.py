"""Files in columns are those that they were made of: paths, digests, and which unit each belongs to."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.emit import columns
from envcompile.emit.columns import DigestColumns, PlaceColumns, SortedPaths, in_columns
from envcompile.emit.manifests import bundle_of
from envcompile.emit.plan import plan
from tests.harness.repository import write_files

PATHS = st.lists(st.text(st.characters(exclude_characters="\n\r"), min_size=1, max_size=5), unique=True, max_size=12)
UNITS = st.lists(PATHS, max_size=5)


def hexadecimal(text: str) -> str:
    """The SHA-256 of a text."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


@given(PATHS, st.text(max_size=5))
def test_sorted_paths_are_found_where_they_are(paths: list[str], other: str) -> None:
    """From both ends, in slices, and none that is not there."""
    wanted = sorted(path for path in paths if not any("\ud800" <= letter <= "\udfff" for letter in path))
    found = SortedPaths(wanted)
    assert [*found] == wanted == found[:]
    assert [found[at - len(wanted)] for at in range(len(wanted))] == wanted
    assert [found.place_of(path) for path in wanted] == [*range(len(wanted))]
    assert (other in found) == (other in wanted)
    assert (found.place_of(other) >= 0) == (other in wanted)
    with pytest.raises(IndexError):
        found[len(wanted)]


@given(UNITS)
def test_each_unit_has_its_files_and_each_file_its_unit(units: list[list[str]]) -> None:
    """And there may be files that no unit has."""
    places = [tuple([f"{number}/{path}" for path in own]) for number, own in enumerate(units)]
    digests = {path: hexadecimal(path) for own in places for path in own if path.isprintable()}
    places = [tuple([path for path in own if path in digests]) for own in places]
    digests["store/secret.yaml"] = hexadecimal("store")
    packed = DigestColumns(digests)
    assert dict(packed) == digests
    assert packed.keys() ^ digests.keys() == set()
    found = PlaceColumns(places, packed)
    assert [*found] == places == found[:]
    assert [found.digests(number) for number in range(len(places))] == [
        [digests[path] for path in own] for own in places
    ]
    for number, own in enumerate(places):
        for position, path in enumerate(own):
            assert found.find(path) == ((number, position), digests[path])
    assert found.find("store/secret.yaml") == (None, digests["store/secret.yaml"])
    assert found.find("strange") == (None, "")


def test_names_that_are_no_text_are_kept() -> None:
    """As the system gave them."""
    assert [*SortedPaths(["a\udcff", "b/\udc80.yaml"])] == ["a\udcff", "b/\udc80.yaml"]


def test_what_is_no_digest_is_refused() -> None:
    """A file of which it is not known what is in it."""
    with pytest.raises(ValueError, match="SHA-256"):
        DigestColumns({"a": hexadecimal("a"), "b": ""})


def test_a_plan_in_columns_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a folder that is empty, current, and of other content."""
    monkeypatch.setattr(columns, "MANY", 1)
    files = {f"web/{number}.yaml": str(number).encode() for number in range(20)}
    for there in ({}, files, dict.fromkeys(files, b"other")):
        folder = write_files(tmp_path_factory.mktemp("prod"), {path: data.decode() for path, data in there.items()})
        before = plan(folder, bundle_of("prod", files))
        made = in_columns(before)
        assert made is not None
        after, digests = made
        assert dict(digests) == dict(before.digests) == dict(after.digests) == dict(after.bundle.digests)
        for name in ("added", "changed", "removed", "unchanged", "edited", "foreign", "missing", "others"):
            assert [*getattr(after, name)] == sorted(getattr(before, name)), name
        assert after.is_current == before.is_current
