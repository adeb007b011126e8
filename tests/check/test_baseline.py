"""Findings that were there before."""

from __future__ import annotations

import pytest

from envcompile.check.baseline import KnownFinding, read_baseline, sort_out, write_baseline
from envcompile.errors import EnvcError
from tests.check.samples import finding

FIELD = "spec.template.spec.containers[name=web].image"
OLD = KnownFinding("aaaa", "prod", "probe", "Deployment.apps/api (namespace prod)", "")


def test_what_was_written_is_read_again() -> None:
    """One line a finding, sorted; the same findings give the same bytes."""
    text = write_baseline([finding(), finding(fingerprint="0000", environment="dev")], [OLD])
    assert text == (
        "{\n"
        '  "version": 1,\n'
        '  "findings": [\n'
        '    {"fingerprint": "0000", "environment": "dev", "rule": "image-tag", '
        f'"resource": "Deployment.apps/web (namespace dev)", "field": "{FIELD}"}},\n'
        '    {"fingerprint": "0011223344556677", "environment": "prod", "rule": "image-tag", '
        f'"resource": "Deployment.apps/web (namespace prod)", "field": "{FIELD}"}},\n'
        '    {"fingerprint": "aaaa", "environment": "prod", "rule": "probe", '
        '"resource": "Deployment.apps/api (namespace prod)", "field": ""}\n'
        "  ]\n"
        "}\n"
    )
    entries = read_baseline(text.encode(), "b.json")
    assert len(entries) == 3
    assert entries[2] == OLD
    assert write_baseline([], entries) == text
    assert read_baseline(write_baseline([], []).encode(), "b.json") == []


def test_findings_are_told_apart_by_their_fingerprints() -> None:
    """What nobody finds any more is stale, but for environments that were not looked at."""
    held = KnownFinding("0011223344556677", "prod", "image-tag", "Deployment.apps/web (namespace prod)", FIELD)
    new = finding(fingerprint="ffff")
    elsewhere = OLD._replace(environment="dev")
    told = sort_out([finding(), new], [held, OLD, elsewhere], {"dev"})
    assert (told.new, told.known, told.stale) == ((new,), (finding(),), (OLD,))
    assert str(OLD) == "prod: probe in Deployment.apps/api (namespace prod)"
    assert str(held) == f"prod: image-tag in Deployment.apps/web (namespace prod) {FIELD}"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"{", "the baseline is no JSON"),
        (b"\xff", "the baseline is no JSON"),
        (b"[]", "this is no baseline of version 1"),
        (b'{"version": 2, "findings": []}', "this is no baseline of version 1"),
        (b'{"version": 1}', "this is no baseline of version 1"),
        (b'{"version": 1, "findings": [{"fingerprint": "a"}]}', "the baseline has entries of another form"),
        (b'{"version": 1, "findings": [7]}', "the baseline has entries of another form"),
    ],
)
def test_a_broken_baseline_is_an_error(data: bytes, what: str) -> None:
    """It is never taken for an empty one."""
    with pytest.raises(EnvcError) as caught:
        read_baseline(data, ".envc-baseline.json")
    assert str(caught.value) == (
        f"error: {what}\n  --> .envc-baseline.json:1:1\nhint: write it again: envc check --write-baseline"
    )
