"""A further git host is one further file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import UsageError
from envcompile.forge import hosts
from envcompile.forge.job import find_job
from envcompile.forge.registry import hosts as known

if TYPE_CHECKING:
    from pathlib import Path

FORGEJO = '''
"""Forgejo, as somebody might add it."""
from envcompile.forge.job import Job

NAME, LIMIT = "Forgejo", 4_000
TOKEN_VARIABLE, TOKEN_ADVICE = "FORGEJO_TOKEN", "add a secret"


def find_job(environ):
    if "FORGEJO_PULL" not in environ:
        return None
    token = environ.get("FORGEJO_TOKEN", "")
    return Job(NAME, "https://forge.example.com", "a/b", int(environ["FORGEJO_PULL"]), "", "", token, False, None)


def connect(job, author=None):
    return f"comments of {job.repository} {job.number}"
'''


def test_both_hosts_are_there_in_one_order() -> None:
    """Each says what differs from the others: its name, its limit, its token."""
    assert [(name, host.LIMIT, host.TOKEN_VARIABLE) for name, host in known().items()] == [
        ("GitHub", 65_536, "GITHUB_TOKEN"),
        ("GitLab", 1_000_000, "GITLAB_TOKEN"),
    ]


def test_a_host_is_added_by_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its jobs are found, its limit counts, and its token is asked for."""
    (tmp_path / "forgejo.py").write_text(FORGEJO, encoding="utf-8")
    monkeypatch.setattr(hosts, "__path__", [*hosts.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "envcompile.forge.hosts.forgejo", raising=False)
    job = find_job({"FORGEJO_PULL": "7", "FORGEJO_TOKEN": "t"})
    assert job is not None
    assert (job.host, job.number, job.limit) == ("Forgejo", 7, 4_000)
    assert str(job.connect()) == "comments of a/b 7"
    with pytest.raises(UsageError, match=r"FORGEJO_TOKEN is not set\nhint: add a secret"):
        job._replace(token="").connect()
    monkeypatch.delitem(sys.modules, "envcompile.forge.hosts.forgejo")
