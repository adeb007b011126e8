"""Writes the files around the templates: Chart.yaml, helpers, notes, the read-me and what Helm shall ignore."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envcompile.chart.override import told_of
from envcompile.chart.scalars import quoted, tree
from envcompile.yamlio.templates import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.chart.naming import NameTable
    from envcompile.chart.shapes import ChartFacts

HELMIGNORE = """\
.DS_Store
.git/
.gitignore
.envc-index
*.swp
*.bak
*.tmp
*.orig
*~
.idea/
.vscode/
"""

_OF_ALL = ("appVersion", "kubeVersion", "deprecated")
"""Fields of Chart.yaml that hold for the charts inside of the chart, too."""
_DETAILS = (*_OF_ALL, "keywords", "home", "sources", "maintainers", "icon", "annotations")
_NAMES_STAY = """\
Names, selectors and labels are
those of the plain manifests: the release's name is not part of them, so one namespace holds one release."""
_NOT_IN_NAMES = re.compile(r"[^a-z0-9-]+")


class Subchart(NamedTuple):
    """A chart inside the chart: its folder's name and the key of its values."""

    name: str
    key: str


def chart_name(name: str) -> str:
    """A name that Helm accepts for a chart."""
    return _NOT_IN_NAMES.sub("-", name.lower()).strip("-") or "chart"


def library_of(name: str) -> str:
    """The folder of the chart that a chart's own charts include from: https://helm.sh/docs/topics/library_charts/."""
    return f"{name}-library"


def chart_yaml(
    chart: ChartFacts, name: str, subcharts: Sequence[Subchart] = (), needs: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Chart.yaml; a chart that is split names its subcharts as dependencies."""
    options = chart.options
    told = {"description": f"{chart.name} for {', '.join(chart.environments)}, compiled by envc", **options.details}
    depended = told.pop("dependencies", [])
    lines = [*_head(chart, name, told["description"])]
    lines += [f"{key}:{tree(told[key], 2)}" for key in _DETAILS if key in told]
    if options.split or depended:
        lines.append("dependencies:" + (tree(depended, 2) if depended else ""))
    if options.split:
        lines += [f"  - name: {library_of(name)}", f"    version: {quoted(options.version)}"]
    for subchart in subcharts:
        if others := (needs or {}).get(subchart.key):
            lines.append(f"  # needs {', '.join(others)}")
        lines += [f"  - name: {subchart.name}", f"    version: {quoted(options.version)}"]
        if subchart.key != subchart.name:
            lines.append(f"    alias: {subchart.key}")
        lines.append(f"    condition: {subchart.key}.enabled")
    return "\n".join(lines) + "\n"


def subchart_yaml(chart: ChartFacts, name: str, needs: Sequence[str]) -> str:
    """Chart.yaml of one service's chart inside the chart."""
    told = f"; needs {', '.join(needs)}" if needs else ""
    lines = [*_head(chart, name, f"{name} of {chart.name}{told}")]
    lines += [f"{key}:{tree(chart.options.details[key], 2)}" for key in _OF_ALL if key in chart.options.details]
    return "\n".join(lines) + "\n"


def library_yaml(chart: ChartFacts, name: str) -> str:
    """Chart.yaml of the chart whose named templates those of all services include; it renders nothing itself."""
    head = _head(chart, library_of(name), f"Named templates of {chart.name} and its charts", kind="library")
    return "\n".join(head) + "\n"


def _head(chart: ChartFacts, name: str, description: str, *, kind: str = "application") -> Iterator[str]:
    yield "apiVersion: v2"
    yield f"name: {name}"
    yield f"description: {quoted(description)}"
    yield f"type: {kind}"
    yield f"version: {quoted(chart.options.version)}"


def helpers(name: str) -> str:
    """The named templates that the others include."""
    return f"""\
{{{{- /* An image reference from its repository, tag and digest; empty parts are left out. */ -}}}}
{{{{- define "{name}.image" -}}}}
{{{{- $repository := .image.repository -}}}}
{{{{- with (.global).imageRegistry -}}}}
{{{{- $first := first (splitList "/" $repository) -}}}}
{{{{- if and (contains "/" $repository) (or (contains "." $first) (contains ":" $first) (eq "localhost" $first)) -}}}}
{{{{- $repository = trimPrefix (printf "%s/" $first) $repository -}}}}
{{{{- end -}}}}
{{{{- $repository = printf "%s/%s" . $repository -}}}}
{{{{- end -}}}}
{{{{- $repository -}}}}
{{{{- with .image }}}}
{{{{- if .tag }}}}:{{{{ kindIs "float64" .tag | ternary (.tag | int64) .tag }}}}{{{{ end -}}}}
{{{{- if .digest }}}}@{{{{ .digest }}}}{{{{ end -}}}}
{{{{- end -}}}}
{{{{- end }}}}
"""


def notes(chart: ChartFacts, needs: Mapping[str, Sequence[str]], remarks: Sequence[str]) -> str:
    """NOTES.txt, which Helm prints after an installation."""
    lines = [f"{escaped(chart.name)} is installed as {{{{ .Release.Name }}}} in {{{{ .Release.Namespace }}}}.", ""]
    lines += ["Values of each environment:", ""]
    lines += [
        f"  helm upgrade --install {{{{ .Release.Name }}}} CHART -f CHART/values-{name}.yaml"
        for name in chart.environments
    ]
    lines += ["", "To take over objects that already run, add --take-ownership."]
    if needs:
        lines += ["", "What needs what:", ""]
        lines += [f"  {escaped(service)} needs {escaped(', '.join(others))}" for service, others in needs.items()]
    if remarks:
        lines += ["", "Good to know:", ""]
        lines += [f"  - {escaped(remark)}" for remark in remarks]
    return "\n".join(lines) + "\n"


def read_me(chart: ChartFacts, name: str, default: str, remarks: Sequence[str], table: NameTable | None = None) -> str:
    """README.md."""
    of_names = _NAMES_STAY if table is None else told_of(table)
    rows = "\n".join(f"| {item} | `values-{item}.yaml` |" for item in chart.environments)
    listed = "".join(f"- {remark}\n" for remark in remarks)
    told = f"\n## Good to know\n\n{listed}" if remarks else ""
    return f"""\
# {chart.name}

One chart for all environments. `values.yaml` holds the values of `{default}`; each file below says only what its
environment sets differently.

| environment | values |
|---|---|
{rows}

```console
helm upgrade --install {name} . -f values-{default}.yaml
```

Objects that already run are taken over with `--take-ownership` (Helm 3.17 and newer). {of_names}

The first key of a value is the service it belongs to, `global` holds what many services share. `values.yaml` says
above each value which objects it reaches; `values.schema.json` makes Helm refuse a key that does not exist;
`global` is open to charts around this one.

## Values that no environment sets

These are not in `values.yaml`, and nothing is rendered for them until somebody sets them:

| below the service | does |
|---|---|
| `nodeSelector`, `tolerations`, `affinity`, `topologySpreadConstraints` | in place of the pods' own |
| `imagePullSecrets` | the same |
| `podAnnotations`, `podLabels` | further ones on the pods |
| `startupProbe`, `livenessProbe`, `readinessProbe` | in place of the main container's |
| `extraVolumes`, `extraVolumeMounts`, `extraEnvFrom` | further ones of the pods and their main container |
| `initContainers`, `sidecars` | further containers, as Kubernetes writes them |
| `serviceAccount.annotations`, `service.annotations`, `ingress.annotations` | further ones on these objects |
| `ingress.tls` | in place of the Ingress's own |
| `ingress.enabled`, `autoscaling.enabled` | `false` leaves it out |
| `podDisruptionBudget.enabled`, `networkPolicy.enabled` | the same |

`global.imageRegistry` stands in place of the registry of every image.

An object whose name says more than its service's has its values below a key that says it, too, such as
`<service>.internalService.annotations`; `values.schema.json` has every one. A probe that `values.yaml` shows is left
out by `null`.
{told}"""
