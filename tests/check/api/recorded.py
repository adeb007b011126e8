"""Changes of valid objects with what a real API server said to each, recorded: how many of the refused ones are named.

`python -m tests.check.api.recorded` prints recall and false alarms by sort of refusal and by kind. The objects are in
`seeds/`; `mutants.jsonl.gz` has 1,500 small changes of them, drawn with a seed that the tables were not written from,
with the answers of kube-apiserver 1.37 to a dry run of create. `python -m tests.oracles.mutants` draws and asks anew.
`mutants-1.30.jsonl.gz` has the answers of kube-apiserver 1.30.14 to those whose valid object it takes.
`written.jsonl.gz` has the answers to 1,100 changes that people make, written by hand, and to 1,500 drawn ones, of the
objects in `written/`: all fields of pods, every type of volume, and the kinds that few write. `mutants-1.33.jsonl.gz`
and `written-1.33.jsonl.gz` have the answers of kube-apiserver 1.33.13, to changes drawn with a seed of their own.
`unusual.jsonl.gz` and `unusual-1.34.jsonl.gz` (1.37 that emulates 1.34) are about the objects in `unusual/`: 54 of 40
kinds that are right in ways that few write.
"""

import copy
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from envcompile.check.schema import Complaint, complaints
from envcompile.kubernetes import load

FOLDER: Final = Path(__file__).parent
RECORDED: Final = FOLDER / "mutants.jsonl.gz"
NEWEST: Final = "1.37"
API: Final = load(NEWEST)
_NOT_OURS: Final = ("state", "admission", "conflict", "code", "no-name")
"""Sorts of refusals that no file tells: the cluster's state, who asks, a name that cannot stand in a URL."""

MENDED: Final = tuple(
    (re.compile(pattern), right)
    for pattern, right in (
        (r"(^|\.)template\.labels\b", r"\1template.metadata.labels"),
        (r"^metadata\.taints\b", "spec.taints"),
        (r"\.resources\[storage\]|\.resources\.storage$", ".resources.requests.storage"),
        (r"^overhead\.limits\b", "overhead.podFixed"),
        (
            r"^spec\.resources\.containers\[(\d+)\]\[([^\]]*)\]\.(limits|requests)$",
            r"spec.containers[\1].resources.\3[\2]",
        ),
        (r"^spec\.clusterIPs\[0\]$", "spec.clusterIP"),
        (r"^spec\.LoadBalancerSourceRanges\b", "spec.loadBalancerSourceRanges"),
        (r"\.conversion\.webhookClientConfig\b", ".conversion.webhook.clientConfig"),
        (r"\.conversion\.conversionReviewVersions\b", ".conversion.webhook.conversionReviewVersions"),
        (r"^spec\.validation\.openAPIV3Schema\b", "spec.versions[0].schema.openAPIV3Schema"),
        (r"\.downwardAPI\.(path|fieldRef|resourceFieldRef|mode)\b", r".downwardAPI.items.\1"),
        (r"\.\{topologyKey, whenUnsatisfiable\}$", ""),
        (r"\.persistentDisk\b", ".gcePersistentDisk"),
        (r"\.Host(PID|IPC|Network)$", r".host\1"),
        (r"\.JSONPath$", ".jsonPath"),
        (r"\.initiatorname$", ".initiatorName"),
        (r"\.projected\.path$", ".projected.sources"),
        (r"^spec\.matchResouces\b", "spec.matchResources"),
        (r"(Affinity\..*)\.namespace$", r"\1.namespaces"),
        (r"^data\[", "stringData["),
        (r"^scheduling\.tolerations\.tolerations\b", "scheduling.tolerations"),
        (r"\.securityContext\.shareProcessNamespace$", ".shareProcessNamespace"),
        (r"\.clientConfig\.service\.(name|namespace)$", ".clientConfig.service"),
    )
)  # fmt: skip
"""Paths in the server's answers that no object has, and the field that is meant.

It takes the name of a webhook's service for its namespace and the other way round, counts a StatefulSet's volumes
behind those of its claims, and names Go's types where they are embedded.
"""
_IMAGE_VOLUMES: Final = 35
_GO_TYPE: Final = re.compile(r"(^|\.)[A-Z]\w*(?=\.|$)")


class Recording(NamedTuple):
    """The answers of one server to changes of some objects."""

    version: str
    """Of Kubernetes."""
    answers: str
    """A file of answers, without its ending."""
    objects: str
    """The folder of the valid objects."""


RECORDINGS: Final = (
    Recording(NEWEST, "mutants", "seeds"),
    Recording("1.30", "mutants-1.30", "seeds"),
    Recording(NEWEST, "written", "written"),
    Recording("1.33", "mutants-1.33", "seeds"),
    Recording("1.33", "written-1.33", "written"),
    Recording(NEWEST, "unusual", "unusual"),
    Recording("1.34", "unusual-1.34", "unusual"),
)


class Mutant(NamedTuple):
    """One changed object and what the server said to it."""

    id: str
    base: str
    """File and position of the valid object."""
    change: str
    patch: list[dict[str, Any]]
    sort: str
    """The sort of the refusal; empty for an object that the server takes."""
    fields: list[str]
    """The fields that the server names."""
    applies: bool
    """Whether a server-side apply takes it."""


class Judged(NamedTuple):
    """What is said here about one mutant."""

    mutant: Mutant
    kind: str
    claims: tuple[Complaint, ...]
    is_named: bool
    crash: str = ""


class Score(NamedTuple):
    """The sums."""

    refused: Counter[str]
    """Sort of refusal -> how many."""
    named: Counter[str]
    kinds: Mapping[str, tuple[int, int]]
    """Kind -> refused, named."""
    accepted: int
    false: tuple[Judged, ...]
    """What is called an error and the server takes."""
    crashes: tuple[Judged, ...]
    misses: tuple[Judged, ...]

    @property
    def recall(self) -> float:
        """The share of what is refused that is named at the right field."""
        return self.named.total() / max(1, self.refused.total())


def seeds(folder: str = "seeds") -> dict[str, Any]:
    """The valid objects."""
    found: dict[str, Any] = {}
    for path in sorted((FOLDER / folder).glob("*.yaml")):
        documents = [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]
        found |= {f"{path.name}#{number}": one for number, one in enumerate(documents)}
    return found


def mutants(recording: Recording = RECORDINGS[0]) -> list[Mutant]:
    """The changes that a recording is about."""
    with gzip.open(FOLDER / f"{recording.answers}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [Mutant(*json.loads(line)) for line in lines]


def changed(base: Any, patch: Iterable[Mapping[str, Any]]) -> Any:
    """An object with a change in it."""
    value = copy.deepcopy(base)
    for step in patch:
        keys = [key.replace("~1", "/").replace("~0", "~") for key in step["path"].split("/")[1:]]
        if not keys:
            value = copy.deepcopy(step["value"])
            continue
        at = value
        for key in keys[:-1]:
            at = at[int(key)] if isinstance(at, list) else at[key]
        last: Any = int(keys[-1]) if isinstance(at, list) else keys[-1]
        if step["op"] == "remove":
            del at[last]
        else:
            at[last] = copy.deepcopy(step["value"])
    return value


def judged(recording: Recording) -> Iterator[Judged]:
    """Judge the changes of a recording as its version does."""
    bases, api = seeds(recording.objects), load(recording.version)
    for mutant in mutants(recording):
        base = bases[mutant.base]
        value = changed(base, mutant.patch)
        kind = str(base["kind"])
        try:
            claims = tuple(complaints(api, value))
        except Exception as error:  # ruff: ignore[blind-except] a traceback is what is looked for
            yield Judged(mutant, kind, (), is_named=False, crash=repr(error))
            continue
        shift = len(base["spec"].get("volumeClaimTemplates", ())) if kind == "StatefulSet" else 0
        gone = _dropped(base) if int(api.version.partition(".")[2]) < _IMAGE_VOLUMES else None
        fields = [_counted(field, gone) for field in mutant.fields]
        wanted = [_tokens(way) for field in fields for way in (field, _mend(field, shift))]
        named = any(_matches(claim.pointer, field) for claim in claims for field in wanted)
        yield Judged(mutant, kind, claims, is_named=named)


def score(found: Iterable[Judged]) -> Score:
    """Add up."""
    refused, named = Counter[str](), Counter[str]()
    of_kind, named_of_kind = Counter[str](), Counter[str]()
    false, crashes, misses, accepted = [], [], [], 0
    for one in found:
        if one.crash:
            crashes.append(one)
        if not one.mutant.sort:
            accepted += 1
            if any(claim.severity == "error" for claim in one.claims):
                false.append(one)
        elif not one.mutant.sort.startswith(_NOT_OURS):
            refused[one.mutant.sort] += 1
            of_kind[one.kind] += 1
            named[one.mutant.sort] += one.is_named
            named_of_kind[one.kind] += one.is_named
            if not one.is_named:
                misses.append(one)
    kinds = {kind: (count, named_of_kind[kind]) for kind, count in of_kind.most_common()}
    return Score(refused, named, kinds, accepted, tuple(false), tuple(crashes), tuple(misses))


def _mend(field: str, shift: int) -> str:
    field = _GO_TYPE.sub("", field).lstrip(".")
    for pattern, right in MENDED:
        field = pattern.sub(right, field)
    if shift:
        field = re.sub(r"(?<=template\.spec\.volumes\[)\d+", lambda found: str(int(found[0]) - shift), field)
    return field


def _dropped(base: Any) -> int | None:
    """The position of a Pod's volume that holds an image, which older servers drop before they count."""
    volumes = base["spec"].get("volumes", ()) if base["kind"] == "Pod" else ()
    return next((position for position, volume in enumerate(volumes) if "image" in volume), None)


def _counted(field: str, gone: int | None) -> str:
    """A field with the position that it has in the object."""
    if gone is None:
        return field
    return re.sub(r"(?<=^spec\.volumes\[)\d+", lambda found: str(int(found[0]) + (int(found[0]) >= gone)), field)


def _tokens(field: str) -> tuple[str | int, ...]:
    """`spec.containers[0].name` as a pointer; the key of a map in brackets stays a text."""
    parts = re.findall(r"\[([^\]]*)\]?|([^.\[]+)", field)
    return tuple(int(inner) if inner.isdigit() else inner or name for inner, name in parts)


def _matches(claimed: Sequence[str | int], wanted: Sequence[str | int]) -> bool:
    """Tell whether a pointer leads to the field that is meant, or to the one around it or in it."""
    places = [[part for part in way if isinstance(part, int)] for way in (claimed, wanted)]
    if any(one != other for one, other in zip(*places, strict=False)):
        return False
    one, other = ([part for part in way if isinstance(part, str)] for way in (claimed, wanted))
    shortest = min(len(one), len(other))
    return abs(len(one) - len(other)) <= 1 and one[:shortest] == other[:shortest]


def main() -> int:
    """Print the scores."""
    for recording in RECORDINGS:
        _print(recording, score(judged(recording)))
    return 0


def _print(recording: Recording, found: Score) -> None:
    lines = [
        f"Kubernetes {recording.version}, {recording.answers}",
        f"{found.refused.total()} refused, named at the right field {found.named.total()}: {found.recall:.1%}",
        f"{found.accepted} accepted, called an error {len(found.false)}; tracebacks {len(found.crashes)}",
        *(f"  {sort:60} {count:5} {found.named[sort] / count:7.1%}" for sort, count in found.refused.most_common()),
        *(f"  {kind:60} {refused:5} {named / refused:7.1%}" for kind, (refused, named) in found.kinds.items()),
    ]
    for title, those in (("false", found.false), ("not named", found.misses), ("traceback", found.crashes)):
        for one in those:
            said = [(".".join(map(str, claim.pointer)), claim.what[:60]) for claim in one.claims[:2]]
            lines.append(
                f"{title}: {one.mutant.id} {one.kind} {one.mutant.sort} {one.mutant.fields[:2]} {said}{one.crash}"
            )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
