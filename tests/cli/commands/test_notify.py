"""`envc notify`: who is told what, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.forge.receivers import running_webhook
from tests.harness.command import run_envc
from tests.harness.repository import commit, deployment, environment, git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.forge.receivers import Inbox

SETTINGS = """environments: [dev, prod]
notify:
  - {kind: webhook, address: HOOK, environments: [prod*]}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {a: %s}\n"


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A receiver whose address is in an env var."""
    with running_webhook() as found:
        monkeypatch.setenv("HOOK", found.address)
        yield found


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """The last commit changed both environments."""
    root = make_project({
        "envc.yaml": SETTINGS,
        "base/web/deployment.yaml": deployment(),
        "overlays/dev/environment.yaml": environment("secretBackend: plaintext\n"),
        "overlays/prod/environment.yaml": environment("secretBackend: plaintext\nowners: ['@shop/sre']\n"),
        "overlays/prod/keys.yaml": SECRET % "canary-one",
    })
    commit(root, "start")
    (root / "base/web/deployment.yaml").write_text(deployment(image="nginx:1.28"), encoding="utf-8")
    (root / "overlays/prod/keys.yaml").write_text(SECRET % "canary-two", encoding="utf-8")
    commit(root, "newer")
    return root


def test_those_who_asked_for_an_environment_are_told_what_changed_in_it(project: Path, inbox: Inbox) -> None:
    """Names and numbers, never values; dev's change is nobody's business here."""
    assert run_envc(project, "notify") == (0, "", "1 message sent\n")
    ((_, body),) = inbox.received
    assert body == {
        "environment": "prod",
        "commit": git(project, "rev-parse", "HEAD"),
        "added": 0,
        "changed": 2,
        "removed": 0,
        "classes": ["image", "secret"],
        "owners": ["@shop/sre"],
        "resources": ["changed Secret/keys", "changed Deployment.apps/web"],
    }


def test_a_dry_run_sends_nothing(project: Path, inbox: Inbox) -> None:
    """It prints what would be sent, with the variable's name for the address."""
    done = run_envc(project, "notify", "--dry-run")
    head = git(project, "rev-parse", "HEAD")[:12]
    assert done.out == (
        f"to webhook $HOOK: prod: 2 changed (image, secret) at {head}\n"
        "changed Secret/keys\n"
        "changed Deployment.apps/web\n"
    )
    assert inbox.received == []


def test_what_cannot_be_delivered_waits_and_is_sent_in_order(project: Path, inbox: Inbox) -> None:
    """Nothing lost, nothing twice; the spool holds neither addresses nor secrets."""
    inbox.status = 410
    first = git(project, "rev-parse", "HEAD")
    done = run_envc(project, "notify")
    assert (done.code, done.err) == (
        4,
        "0 messages sent\nerror: the receiver at $HOOK refuses the message: 410\nhint: check the URL in HOOK\n",
    )
    waiting = [*(project / ".envc/notify").glob("*.json")]
    assert len(waiting) == 1
    assert "canary" not in waiting[0].read_text()
    (project / "base/web/deployment.yaml").write_text(deployment(image="nginx:1.29"), encoding="utf-8")
    second = commit(project, "newest")
    inbox.status = 200
    assert run_envc(project, "notify") == (0, "", "2 messages sent\n")
    assert [body["commit"] for _, body in inbox.received] == [first, second]
    assert not [*(project / ".envc/notify").glob("*.json")]


def test_a_variable_that_is_not_set_is_named(project: Path) -> None:
    """The message waits all the same."""
    done = run_envc(project, "notify")
    assert (done.code, done.err) == (
        4,
        "0 messages sent\nerror: the env var HOOK is not set\nhint: set it to the receiver's URL\n",
    )
    assert len([*(project / ".envc/notify").glob("*.json")]) == 1


def test_a_damaged_message_is_set_aside(project: Path, inbox: Inbox) -> None:
    """One bad file must not hold up the others."""
    folder = project / ".envc/notify"
    folder.mkdir(parents=True)
    (folder / "0001.json").write_text("{")
    done = run_envc(project, "notify")
    assert (done.code, done.err) == (
        4,
        (
            "1 message sent\nerror: 0001.json in .envc/notify cannot be read\n"
            "hint: it was set aside with the ending .broken\n"
        ),
    )
    assert len(inbox.received) == 1
    assert run_envc(project, "notify", "dev").code == 0


def test_a_receiver_of_an_unknown_kind_is_refused_at_its_place(project: Path) -> None:
    """A slip in envc.yaml is found before anything is sent."""
    settings = project / "envc.yaml"
    settings.write_text(settings.read_text().replace("kind: webhook", "kind: webhok"), encoding="utf-8")
    done = run_envc(project, "notify")
    assert done.code == 1
    assert "--> envc.yaml:3:12\n" in done.err
    assert "webhook" in done.err
