"""A report in every format: whole, escaped, and with nothing between the lines."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET  # ruff: ignore[suspicious-xml-etree-import] - it reads our own text

from envcompile.check.baseline import KnownFinding
from envcompile.check.formats.github import as_github
from envcompile.check.formats.jsonreport import as_json
from envcompile.check.formats.junit import as_junit
from envcompile.check.formats.sarif import as_sarif
from envcompile.check.formats.text import as_text
from envcompile.check.report import Ignored, together
from envcompile.model import Location
from tests.check.samples import finding, report

NASTY = finding(
    severity="warning",
    what='50% of <a> & "b":\n, ]]> \x1b[0m',
    fix="",
    where=Location("base/a b,c:d%.yaml", 1, 2),
    fingerprint="ffff",
)
FIELD = "spec.template.spec.containers[name=web].image"


def parsed(text: str) -> ET.Element:
    """The root of an XML text."""
    return ET.fromstring(text)  # ruff: ignore[suspicious-xml-element-tree-usage] - our own text


def test_text_tells_a_shared_finding_once() -> None:
    """Place, grade, rule and sentence; then the resource and its environments; then the mend."""
    findings = (finding(environment="dev"), finding(), finding(severity="info", fix="", where=None))
    assert as_text(together(findings)) == (
        "base/web.yaml:14:9: error image-tag: the image has no tag\n"
        f"    Deployment/web {FIELD} in dev, prod\n"
        "    hint: write one\n"
        "\n"
        "info image-tag: the image has no tag\n"
        f"    Deployment/web {FIELD} in prod\n"
    )
    assert not as_text([])


def test_text_tells_an_equal_hint_once() -> None:
    """Whether it stands by place or by resource: with the first finding that it mends."""
    findings = (finding(), finding(what="another"), finding(what="a third", fix="write two"))
    for text in (as_text(together(findings)), as_text(together(findings), "resource")):
        assert (text.count("hint: write one\n"), text.count("hint: write two\n")) == (1, 1)
    by_rule = as_text(together(findings), "rule")
    assert (by_rule.count("hint: write one\n"), by_rule.count("hint: write two\n")) == (1, 1)


def test_json_holds_everything() -> None:
    """Each environment's finding on its own, and what was set aside."""
    full = report(finding(where=None))._replace(
        ignored=(Ignored(finding(), "why"),),
        known=(finding(),),
        stale=(KnownFinding("aaaa", "prod", "probe", "Deployment.apps/api", ""),),
        unknown_kinds=("ScaledObject.keda.sh",),
    )
    found = {
        "rule": "image-tag",
        "severity": "error",
        "environment": "prod",
        "resource": {"group": "apps", "kind": "Deployment", "namespace": "prod", "name": "web"},
        "field": FIELD,
        "what": "the image has no tag",
        "fix": "write one",
        "place": {"file": "base/web.yaml", "line": 14, "column": 9},
        "fingerprint": "0011223344556677",
    }
    assert json.loads(as_json(full)) == {
        "formatVersion": 1,
        "environments": ["dev", "prod"],
        "resources": 12,
        "rules": ["image-tag", "probe"],
        "unknownKinds": ["ScaledObject.keda.sh"],
        "findings": [{**found, "place": None}],
        "ignored": [{**found, "reason": "why"}],
        "baseline": {
            "known": [found],
            "stale": [
                {
                    "fingerprint": "aaaa",
                    "environment": "prod",
                    "rule": "probe",
                    "resource": "Deployment.apps/api",
                    "field": "",
                }
            ],
        },
    }


def test_sarif_describes_its_rules_and_places_its_results() -> None:
    """Paths are relative to the repository and URIs; results keep their fingerprint; rules have help."""
    log = json.loads(as_sarif(report(finding(environment="dev"), finding(), NASTY), "1.2.3", "deploy/"))
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"], driver["semanticVersion"]) == ("envc", "1.2.3", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == ["image-tag", "probe"]
    assert driver["rules"][1] == {
        "id": "probe",
        "shortDescription": {"text": "A container has a probe."},
        "fullDescription": {"text": "A container has a probe."},
        "help": {
            "text": "A container has a probe.\nSource: kubernetes.io\n"
            'To set it aside, annotate the resource: envcompile.dev/ignore: "probe: why"',
            "markdown": "A container has a probe.\n\nSource: kubernetes.io\n\n"
            'To set it aside, annotate the resource: `envcompile.dev/ignore: "probe: why"`',
        },
        "defaultConfiguration": {"level": "warning"},
    }
    first, second = run["results"]
    assert first == {
        "ruleId": "image-tag",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": f"the image has no tag\nDeployment/web {FIELD} in dev, prod\nwrite one"},
        "locations": [
            {
                "logicalLocations": [{"fullyQualifiedName": f"Deployment/web/{FIELD}", "kind": "resource"}],
                "physicalLocation": {
                    "artifactLocation": {"uri": "deploy/base/web.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 14, "startColumn": 9},
                },
            }
        ],
        "partialFingerprints": {
            "envcFinding/v1": "0011223344556677",
            "primaryLocationLineHash": "0011223344556677:1",
        },
        "properties": {"environments": ["dev", "prod"]},
    }
    place = second["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "deploy/base/a%20b%2Cc%3Ad%25.yaml"
    assert second["level"] == "warning"
    nowhere = json.loads(as_sarif(report(finding(severity="info", where=None)), "1.2.3"))["runs"][0]["results"][0]
    assert nowhere["level"] == "note"
    assert "physicalLocation" not in nowhere["locations"][0]


def test_github_commands_are_escaped_as_the_toolkit_does() -> None:
    """One line a command, whatever is in it."""
    assert as_github(report(finding(), NASTY, finding(severity="info", where=None)), "deploy/") == (
        "::error file=deploy/base/web.yaml,line=14,col=9,title=image-tag::the image has no tag%0A"
        f"Deployment/web {FIELD} in prod%0Awrite one\n"
        "::warning file=deploy/base/a b%2Cc%3Ad%25.yaml,line=1,col=2,title=image-tag::"
        f'50%25 of <a> & "b":%0A, ]]> \\x1b[0m%0ADeployment/web {FIELD} in prod\n'
        f"::notice title=image-tag::the image has no tag%0ADeployment/web {FIELD} in prod%0Awrite one\n"
    )


def test_junit_is_xml_with_a_failure_for_each_finding_that_counts() -> None:
    """Rules that find nothing pass; findings below the threshold are skipped."""
    text = as_junit(report(finding(), NASTY), "error")
    root = parsed(text)
    dev, prod = root
    assert dev.attrib == {"name": "dev", "tests": "2", "failures": "0", "skipped": "0"}
    assert [case.attrib for case in dev] == [
        {"classname": "dev.image-tag", "name": "image-tag"},
        {"classname": "dev.probe", "name": "probe"},
    ]
    assert prod.attrib == {"name": "prod", "tests": "3", "failures": "1", "skipped": "1"}
    first, second, clean = prod
    assert first.attrib == {
        "classname": "prod.image-tag",
        "name": f"image-tag: Deployment.apps/web (namespace prod) {FIELD}",
        "file": "base/web.yaml",
        "line": "14",
    }
    failure = first[0]
    assert (failure.tag, failure.attrib) == ("failure", {"type": "error", "message": "the image has no tag"})
    assert failure.text == "base/web.yaml:14:9\nthe image has no tag\nwrite one"
    assert (second[0].tag, second[0].attrib) == (
        "skipped",
        {"message": 'warning: 50% of <a> & "b":\n, ]]> \ufffd[0m'},
    )
    assert clean.attrib == {"classname": "prod.probe", "name": "probe"}
    strict = parsed(as_junit(report(NASTY), "warning"))
    assert strict[1][0][0].tag == "failure"
    lenient = parsed(as_junit(report(finding()), None))
    assert lenient[1][0][0].tag == "skipped"
