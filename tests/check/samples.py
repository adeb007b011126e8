"""Findings and reports for the tests of what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.finding import Finding
from envcompile.check.report import Report
from envcompile.check.rule import Rule
from envcompile.model import Location, ResourceId

if TYPE_CHECKING:
    from envcompile.check.check_input import CheckInput
    from envcompile.check.finding import Hit, Severity

PLACE = Location("base/web.yaml", 14, 9)
WEB = ResourceId("apps", "Deployment", "prod", "web")


def find_nothing(inputs: CheckInput) -> tuple[Hit, ...]:
    """A rule that every environment keeps."""
    del inputs
    return ()


TAG = Rule("image-tag", "error", "An image has a tag.", "kubernetes.io", find_nothing)
PROBE = Rule("probe", "warning", "A container has a probe.", "kubernetes.io", find_nothing)


def finding(
    rule: str = "image-tag",
    severity: Severity = "error",
    *,
    environment: str = "prod",
    what: str = "the image has no tag",
    fix: str = "write one",
    fingerprint: str = "0011223344556677",
    where: Location | None = PLACE,
) -> Finding:
    """A finding about one container's image."""
    field = "spec.template.spec.containers[name=web].image"
    return Finding(
        rule, severity, environment, WEB._replace(namespace=environment), field, what, fix, fingerprint, where
    )


def report(*findings: Finding) -> Report:
    """A report of two environments and two rules."""
    return Report(("dev", "prod"), 12, (TAG, PROBE), findings)
