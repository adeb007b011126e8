"""dyff, which knows nothing of merge rules, finds the same fields changed between real environments."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from envcompile.ask.changes import changes
from envcompile.kubernetes.fieldpath import Item
from tests.ask.samples import API
from tests.ask.test_corpora import PAIRS, read

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Resource

OPTIONS: Final = ("-b", "-g", "-l", "--detect-renames=false", "-c", "off", "-w", "4000")
REPORT: Final = re.compile(r"^(?:(?P<path>/\S*)\s+)?\((?P<resource>[^\s()]+/[^\s()]+)\)$", re.MULTILINE)

# dyff tells nothing of the resources when one of the files has none, as one of less than 100 bytes does.
FILLED: Final = [pair for pair in PAIRS if min(path.stat().st_size for path in pair) > 100]

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not PAIRS, reason="the real repositories are not beside this one"),
]

Place = tuple[str, str]
"""A resource and the way to a field, as dyff writes them; `/` is the resource as a whole."""


def name(resource: Resource) -> str:
    """The resource as dyff names it."""
    identity = resource.id
    parts = (resource.value["apiVersion"], identity.kind, identity.namespace, identity.name)
    return "/".join(part for part in parts if part)


def way(path: FieldPath) -> str:
    """The way to a field up to the first list whose items dyff tells apart in another manner than Kubernetes."""
    text = ""
    for part in path:
        if isinstance(part, int) or (isinstance(part, Item) and part.keys[0][0] != "name"):
            break
        text += f"/name={part.keys[0][1]}" if isinstance(part, Item) else f"/{part}"
    return text or "/"


def is_near(one: Place, other: Place) -> bool:
    """Whether two places are the same, or one lies within the other: a new map is one report or several."""
    ours, theirs = one[1].rstrip("/"), other[1].rstrip("/")
    return one[0] == other[0] and (ours.startswith(theirs) or theirs.startswith(ours))


@pytest.mark.parametrize(("one", "other"), FILLED, ids=[f"{one.parent.name} {one.stem}" for one, _ in FILLED])
def test_both_find_the_same_fields_changed(one: Path, other: Path, dyff: Path) -> None:
    """No field that only one of the two reports; resources that come and go are the same ones."""
    done = subprocess.run([str(dyff), "between", *OPTIONS, str(one), str(other)], capture_output=True, check=True)
    theirs = {(match["resource"], match["path"] or "/") for match in REPORT.finditer(done.stdout.decode())}
    old, new = read(one), read(other)
    ours: set[Place] = set()
    whole: set[str] = set()
    for change in changes(old.values(), new.values(), API):
        resource = name(new.get(change.resource) or old[change.resource])
        if change.kind != "changed":
            whole.add(resource)
        ours |= {(resource, way(field.path)) for field in change.fields}
    assert {resource for resource, path in theirs if path == "/"} - {resource for resource, _ in ours} == whole
    assert not [place for place in ours if not any(is_near(place, their) for their in theirs)]
    assert not [place for place in theirs if place[0] not in whole and not any(is_near(our, place) for our in ours)]
