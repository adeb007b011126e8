"""The rule `api-deprecated`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.standards import minor_of
from envcompile.check.versions import passing_of, renamed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _deprecated(inputs: CheckInput) -> Iterator[Hit]:
    minor = minor_of(inputs.api.version)
    for resource in inputs.resources:
        version, passing = passing_of(resource)
        custom = inputs.api.custom(*resource.id[:2])
        if custom is not None and version.rpartition("/")[2] in custom.deprecated:
            who = custom.project or "its CustomResourceDefinition"
            what = f"{resource.id.kind} as `{version}` is deprecated ({who})"
            better = [name for name in custom.versions if name not in custom.deprecated]
            fix = (
                f"write `apiVersion: {resource.id.group}/{better[0]}`" if better else "see what takes the kind's place"
            )
            yield Hit(resource.id, ("apiVersion",), what, fix)
        if passing is None or passing.deprecated > minor or (passing.removed is not None and passing.removed <= minor):
            continue
        until = f" and goes with 1.{passing.removed}" if passing.removed else ""
        what = f"{resource.id.kind} as `{version}` is deprecated since Kubernetes 1.{passing.deprecated}{until}"
        fix = f"write `apiVersion: {passing.instead}`" if passing.instead else "take it out"
        # The next version does not serve it any more: that is the time to act.
        is_next = passing.removed is not None and passing.removed <= minor + 1
        yield Hit(resource.id, ("apiVersion",), what, fix, "warning" if is_next else None)


RULE: Final = Rule(
    "api-deprecated",
    "info",
    "No resource uses an apiVersion that is to go.",
    "kubernetes.io, Deprecated API Migration Guide; Pluto, Popeye POP-403",
    _deprecated,
    mend=renamed,
    alone=True,
    why=(
        "The next versions of Kubernetes do not serve the apiVersion any more; the upgrade of the cluster is a "
        "bad moment to learn that."
    ),
    fix="Write the apiVersion that the migration guide names.",
    links=("https://kubernetes.io/docs/reference/using-api/deprecation-guide/",),
    fires="""\
apiVersion: v1
kind: Endpoints
metadata: {name: database}
subsets:
- addresses: [{ip: 10.0.0.5}]
  ports: [{port: 5432}]
""",
    silent="""\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: database, labels: {kubernetes.io/service-name: database}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.5]}]
ports: [{port: 5432}]
""",
)
