"""Writes what `nameOverride` and `fullnameOverride` need in a chart: values, schema, helpers, a word in the read-me.

The meaning of both is that of `helm create`: https://helm.sh/docs/chart_template_guide/named_templates/,
https://github.com/helm/helm/blob/main/pkg/chart/v2/util/create.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.chart.namepatterns import (
    BEHIND_KEY,
    BEHIND_SCHEME,
    END_OF_HOST,
    END_OF_WORD,
    LEFT_OF_HOST,
    left_of_name,
    right_of_host,
)
from envcompile.chart.naming import CLOSE, OPEN
from envcompile.chart.values import Section

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.chart.naming import NameTable

_MOST_NAMED: Final = 10
_PART: Final = """\
{
      "type": ["string", "null"],
      "maxLength": 53,
      "pattern": "^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$"
    }"""
SCHEMAS: Final = {"nameOverride": _PART, "fullnameOverride": _PART}
SECTION: Final = Section(
    """\
# -- When set, every object is called RELEASE-<this>-<its name>; so a namespace can hold several releases
nameOverride: ""
# -- When set, every object is called <this>-<its name>
fullnameOverride: \"\"""",
    (),
    "",
)
_BRACE: Final = '{{ "{" }}'
_MARKED: Final = re.compile(f"(\\{{?){OPEN}([^{CLOSE}]*){CLOSE}")


def with_names(text: str, chart: str) -> str:
    """The text of a template with helpers in place of the marks around names."""

    def spelled(found: re.Match[str]) -> str:
        brace, value = found.groups()
        given = f'include "{chart}.name" (list $ "{value}")'
        return f"{_BRACE if brace else ''}{{{{ {given} }}}}"

    return _MARKED.sub(spelled, text) if CLOSE in text else text


def renamed_text(chart: str, text: str, names: Iterable[str], before: Iterable[str] = ()) -> str:
    """How a template spells a text in which names of objects follow the release's.

    Args:
        chart: the chart's name.
        text: how the template spells the text.
        names: what may be in it.
        before: what stands before names in a map or list, as YAML.
    """
    listed = " ".join(f'"{name}"' for name in names)
    ways = "|".join(re.escape(way).replace("\\ ", " ").replace("\\-", "-") for way in before)
    more = f' "{ways}"' if ways else ""
    return f'include "{chart}.renamed" (list $ {text} (list {listed}){more})'


def helpers(chart: str, table: NameTable) -> str:
    """The named templates that rename."""
    right = right_of_host(table.namespaces)
    patterns = (
        rf"({left_of_name(table.namespaces)})%s({END_OF_WORD})",
        rf"({LEFT_OF_HOST})%s({right})",
        rf"({BEHIND_SCHEME})%s({right}|{END_OF_HOST})",
        rf"({BEHIND_KEY})%s({END_OF_WORD})",
    )
    calls = "\n".join(
        f"{{{{- $text = regexReplaceAll (printf {_literal(one)} (regexQuoteMeta .)) $text $to -}}}}" for one in patterns
    )
    pods = ""
    for name in sorted(table.by_kind.get("StatefulSet", ())):
        pattern = _literal(rf"({LEFT_OF_HOST}|{BEHIND_SCHEME}){re.escape(name)}(-[0-9]+\.)%s({right}|{END_OF_HOST})")
        pods += (
            f'{{{{- $pod := include "{chart}.name" (list $root "{name}") -}}}}\n'
            '{{- $pod = printf "${1}%s${2}%s${3}" $pod $name -}}\n'
            f"{{{{- $text = regexReplaceAll (printf {pattern} (regexQuoteMeta .)) $text $pod -}}}}\n"
        )
    if table.trims:
        own = (
            f'{{{{- $rest := trimPrefix "{chart}-" $name -}}}}\n'
            f'{{{{- $name = ternary $prefix (printf "%s-%s" $prefix $rest) (eq $name "{chart}") -}}}}'
        )
    else:
        own = '{{- $name = printf "%s-%s" $prefix $name -}}'
    return f"""
{{{{- /* What objects are called after; empty where their names are those of the manifests. */ -}}}}
{{{{- define "{chart}.prefix" -}}}}
{{{{- $prefix := .Values.fullnameOverride | default "" -}}}}
{{{{- with .Values.nameOverride -}}}}
{{{{- if not $prefix -}}}}
{{{{- $prefix = contains . $.Release.Name | ternary $.Release.Name (printf "%s-%s" $.Release.Name .) -}}}}
{{{{- end -}}}}
{{{{- end -}}}}
{{{{- if gt (len $prefix) 63 -}}}}
{{{{- $prefix = printf "%s-%s" ($prefix | trunc 52 | trimSuffix "-") ($prefix | sha256sum | trunc 10) -}}}}
{{{{- end -}}}}
{{{{- $prefix -}}}}
{{{{- end }}}}

{{{{- /* The name of an object of this chart, given the root and the name in the manifests. */ -}}}}
{{{{- define "{chart}.name" -}}}}
{{{{- $name := index . 1 -}}}}
{{{{- with include "{chart}.prefix" (index . 0) -}}}}
{{{{- $prefix := . -}}}}
{own}
{{{{- if gt (len $name) 63 -}}}}
{{{{- $name = printf "%s-%s" ($name | trunc 52 | trimSuffix "-") ($name | sha256sum | trunc 10) -}}}}
{{{{- end -}}}}
{{{{- end -}}}}
{{{{- $name -}}}}
{{{{- end }}}}

{{{{- /* A text in which names of objects of this chart are replaced, given the root, the text and the names; for YAML
also what stands before them. */ -}}}}
{{{{- define "{chart}.renamed" -}}}}
{{{{- $root := index . 0 -}}}}
{{{{- $text := index . 1 | toString -}}}}
{{{{- $before := gt (len .) 3 | ternary (last .) "" -}}}}
{{{{- if include "{chart}.prefix" $root -}}}}
{{{{- range index . 2 -}}}}
{{{{- $name := include "{chart}.name" (list $root .) -}}}}
{{{{- if eq $text . -}}}}
{{{{- $text = $name -}}}}
{{{{- else -}}}}
{{{{- $to := printf "${{1}}%s${{2}}" $name -}}}}
{{{{- if $before -}}}}
{{{{- $text = regexReplaceAll (printf "(?m)((?:%s)\\"?)%s(\\"?)$" $before (regexQuoteMeta .)) $text $to -}}}}
{{{{- end -}}}}
{pods}{calls}
{{{{- end -}}}}
{{{{- end -}}}}
{{{{- end -}}}}
{{{{- $text -}}}}
{{{{- end }}}}
"""


def _literal(pattern: str) -> str:
    """A regular expression as a raw text of a Go template."""
    return f"`{pattern.replace('%', '%%').replace('%%s', '%s')}`"


def told_of(table: NameTable) -> str:
    """What the read-me says of names."""
    kept = ", ".join(f"`{title}`" for title in table.kept[:_MOST_NAMED])
    more = f" and {len(table.kept) - _MOST_NAMED} more" if len(table.kept) > _MOST_NAMED else ""
    stay = f"\n\nNames that mean something to others stay: {kept}{more}." if kept else ""
    return f"""\
Names, selectors and labels are
those of the plain manifests until `nameOverride` or `fullnameOverride` says otherwise: then every object is called
after it, whatever names an object follows, and labels and selectors get `{table.label}`, so that one
namespace holds several releases.{stay}"""
