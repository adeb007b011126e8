"""The parts of a chart: joined they are the whole, remembered they are what they would be if they were made anew."""

from __future__ import annotations

import copy
from collections import UserDict
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcompile.chart import ChartFacts, ChartOptions, Portion, emit, emit_portions, release_warning
from envcompile.chart.facts import json_of
from tests.chart.hostile import environments
from tests.chart.samples import chart_input, config_map, container, corpus, corpus_cases, deployment, service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.chart.emission import Emitted
    from tests.chart.samples import Environments, Resource

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


class Kept(UserDict[str, bytes]):
    """A memo in memory, and the files that were written last."""

    def __init__(self) -> None:
        super().__init__()
        self.files: Mapping[str, str] = {}

    def written(self, path: str) -> bytes | None:
        """One of the files."""
        text = self.files.get(path)
        return text.encode("utf-8", "surrogatepass") if text is not None else None

    def put(self, key: str, data: bytes) -> None:
        """Keep something."""
        self[key] = data

    def text(self, service: str, key: str) -> bytes | None:
        """A part of the chart."""
        return self.get(f"{service} {key}")

    def put_text(self, service: str, key: str, data: bytes) -> None:
        """Keep a part of the chart."""
        self[f"{service} {key}"] = data


class Loads:
    """Applications of one resource each, whose resources count how often they are looked at."""

    def __init__(self, found: Environments, *, is_clear: bool = False) -> None:
        self.found = found
        self.is_clear = is_clear
        self.looked_at: list[str] = []

    def portions(self) -> list[list[Portion]]:
        """The applications of each environment, named by what they hold."""
        return [
            [
                Portion(f"{name} {json_of(resource)!r}", self._load(resource), is_clear=self.is_clear)
                for resource in resources
            ]
            for name, resources in self.found.items()
        ]

    def _load(self, resource: Resource) -> Callable[[], list[tuple[str, Any]]]:
        def load() -> list[tuple[str, Any]]:
            self.looked_at.append(str(resource.get("metadata", {}).get("name")))
            return [("", resource)]

        return load

    def emit(self, memo: Kept | None, **options: Any) -> Emitted:
        """The chart of them."""
        chart = ChartFacts("shop", tuple(self.found), 0, ChartOptions(**options))
        return emit_portions(chart, self.portions(), memo)


def _files(found: Environments, **options: Any) -> Mapping[str, str]:
    return emit(chart_input(found, **options))


def _shop(**images: str) -> Environments:
    """Three services of two resources in two environments."""
    return {
        name: [
            resource
            for app in ("api", "web", "worker")
            for resource in (
                deployment(app, f"{images.get(app, app)}:{name}", replicas=2 if name == "dev" else 3),
                service(app),
            )
        ]
        for name in ("dev", "prod")
    }


@given(found=environments(), data=st.data())
@settings(deadline=None, max_examples=40, suppress_health_check=SLOW)
def test_remembered_parts_join_to_what_is_made_of_everything_anew(found: Environments, data: st.DataObject) -> None:
    """Whatever was remembered before, from another state of the system, and whatever of it was lost or damaged."""
    memo = Kept()
    before = copy.deepcopy(found)
    name = data.draw(st.sampled_from(list(found)))
    if found[name]:
        at = data.draw(st.integers(0, len(found[name]) - 1))
        match data.draw(st.sampled_from(("gone", "named", "labelled"))):
            case "gone":
                del before[name][at]
            case "named":
                before[name][at].setdefault("metadata", {})["name"] = "another"
            case _:
                before[name][at].setdefault("metadata", {})["labels"] = {"tier": name}
    is_clear = data.draw(st.booleans())
    memo.files = Loads(before, is_clear=is_clear).emit(memo).files
    keys = st.lists(st.sampled_from([*sorted(memo), "none"]), max_size=5)
    for key in data.draw(keys):
        if key in memo:
            memo[key] = data.draw(st.sampled_from((b"", b"\xc1", memo[key][:-1], b"\x93\xa1a\xa1b\xa1c")))
    for key in data.draw(keys):
        memo.pop(key, None)
    assert Loads(found, is_clear=is_clear).emit(memo).files == _files(found)


@pytest.mark.parametrize(
    "options", [{}, {"split": True}, {"crds": "templates"}, {"crds": "separate"}, {"renames": True}]
)
def test_a_chart_of_applications_is_the_chart_of_all_their_resources(options: dict[str, Any]) -> None:
    """With and without a memo, in one chart and split up."""
    found, memo = _shop(), Kept()
    for environment in found:
        found[environment].append({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"},
            "spec": {"group": "example.com", "size": 1.0 if environment == "dev" else 1},
        })
    whole = _files(found, **options)
    assert Loads(found).emit(None, **options).files == whole
    assert Loads(found).emit(memo, **options).files == whole
    again = Loads(found)
    assert again.emit(memo, **options).files == whole
    assert set(again.looked_at) <= {"things.example.com"}


@pytest.mark.parametrize("case", corpus_cases())
def test_real_systems_come_out_of_a_memo_as_they_are_without(case: str) -> None:
    """Resource by resource."""
    found, memo = corpus(case), Kept()
    Loads(found).emit(memo)
    assert Loads(found).emit(memo).files == _files(found)


def test_one_changed_resource_makes_its_own_service_only() -> None:
    """No other resource is looked at."""
    memo = Kept()
    assert Loads(_shop()).emit(memo).made == ("api", "web", "worker")
    loads = Loads(_shop(web="other"))
    made = loads.emit(memo)
    assert made.made == ("web",)
    assert set(loads.looked_at) == {"web"}
    assert made.files == _files(_shop(web="other"))


@pytest.mark.parametrize("is_clear", [False, True])
@pytest.mark.parametrize("has_texts", [False, True])
def test_what_one_service_changes_in_joined_files_leaves_the_sections_of_others(
    *, is_clear: bool, has_texts: bool
) -> None:
    """They stand in the written files: no other service is made again for them, even where their texts are lost."""
    found, memo = _with_secrets("c4n4ry"), Kept()
    memo.files = {**Loads(found, is_clear=is_clear).emit(memo).files}
    if not has_texts:
        for key in [key for key in memo if " head " in key]:
            del memo[key]
    for number, resource in enumerate(found["prod"]):
        if resource["metadata"]["name"] == "web" and resource["kind"] == "Deployment":
            found["prod"][number] = deployment("web", "web:9", replicas=7)
    loads = Loads(found, is_clear=is_clear)
    emitted = loads.emit(memo)
    changed = {path: emitted.files[path] for path in memo.files if path.startswith("values")}
    assert emitted.made == ("web",)
    assert {*loads.looked_at} <= {"web", "web-secret"}
    assert changed.items() <= _files(found).items()
    assert emitted.files == _files(found)


def test_what_may_not_be_remembered_is_made_each_time() -> None:
    """An application without a key takes its service with it, and nothing of it is kept."""
    found = _shop()
    memo = Kept()
    for _ in range(2):
        portions = [
            [
                Portion("" if "secret" in f"{resource}" else f"{json_of(resource)!r}", partial(list, [("", resource)]))
                for resource in [*resources, config_map("api-config", key="secret")]
            ]
            for resources in found.values()
        ]
        made = emit_portions(ChartFacts("shop", tuple(found), 0, ChartOptions()), portions, memo).made
    assert made == ("api",)
    assert not any(b"secret" in data for data in memo.values())


def _with_secrets(canary: str) -> Environments:
    """The shop, where each service has a Secret in clear that differs between environments, with a text of lines."""
    found = _shop()
    for name, resources in found.items():
        for app in ("api", "web", "worker"):
            values = {
                "password": f"{canary}-{name}",
                "same": canary,
                "all.env": f"{canary}=1\nA={name}\n{canary}{name}\n",
            }
            metadata = {"name": f"{app}-secret", "labels": {"app.kubernetes.io/name": app}}
            resources.append({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values})
    return found


@pytest.mark.parametrize("options", [{}, {"split": True}])
def test_secrets_in_clear_are_taken_from_the_written_chart(options: dict[str, Any]) -> None:
    """No memo holds them; a service whose texts stand there no more is made anew, and no other one."""
    found, memo = _with_secrets("c4n4ry"), Kept()
    made = Loads(found, is_clear=True).emit(memo, **options)
    assert "c4n4ry" in "".join(made.files.values())
    assert not [key for key, data in memo.items() if b"c4n4ry" in data]
    memo.files = made.files
    loads = Loads(found, is_clear=True)
    again = loads.emit(memo, **options)
    assert again.files == made.files
    assert (again.made, loads.looked_at) == ((), [])
    memo.files = {path: text.replace("api-secret", "changed") for path, text in made.files.items()}
    again = Loads(found, is_clear=True).emit(memo, **options)
    assert again.files == made.files
    assert again.made == ("api",)
    memo.files = {}
    again = Loads(found, is_clear=True).emit(memo, **options)
    assert again.files == made.files
    assert again.made == ("api", "web", "worker")


def test_a_secret_that_shows_its_values_elsewhere_is_not_remembered() -> None:
    """Neither one whose annotations hold them, nor one that is known by all it says, for it has no name."""
    found, memo = _with_secrets("c4n4ry"), Kept()
    for resources in found.values():
        resources[-2]["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "c4n4ry"}
        resources[-1]["metadata"] = {"generateName": "worker-"}
    memo.files = Loads(found, is_clear=True).emit(memo).files
    assert not [key for key, data in memo.items() if b"c4n4ry" in data]
    assert {"web", "api"} & {*Loads(found, is_clear=True).emit(memo).made} == {"web"}


def test_a_switch_that_others_share_changes_those_that_show_it() -> None:
    """A third service that only prod has makes all three follow one switch."""
    found = {"dev": [], "prod": [deployment("a"), deployment("b"), config_map("c", x="1")]}
    memo = Kept()
    two = {name: resources[:2] for name, resources in found.items()}
    Loads(two).emit(memo)
    assert Loads(found).emit(memo).files == _files(found)


def test_a_warning_about_size_does_not_depend_on_what_is_remembered() -> None:
    """A chart near the limit is told in the same words from a memo."""
    found: Environments = {"dev": [], "prod": []}
    for number in range(12):
        for name, resources in found.items():
            text = "".join(f"{number * position * 7919 % 100_003:x} " for position in range(16_000))
            made = deployment(f"app{number}")
            container(made)["image"] = f"x:{name}"
            resources += [made, config_map(f"app{number}-config", **{"data.txt": f"{text}\n"})]
    memo = Kept()
    chart = ChartFacts("shop", tuple(found), 0, ChartOptions())
    fresh = release_warning(chart, Loads(found).emit(None))
    assert fresh is not None
    assert "of the 1 MiB Helm can store" in fresh
    for _ in range(2):
        assert release_warning(chart, Loads(found).emit(memo), memo) == fresh
