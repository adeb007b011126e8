"""The payloads of events, in the shape in which GitHub writes them to GITHUB_EVENT_PATH.

Source: docs.github.com/webhooks/webhook-events-and-payloads; what nobody here reads is left out within each object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.forge.origin import NUMBER

if TYPE_CHECKING:
    from tests.forge.origin import Origin

NOWHERE = "0" * 40


def pull_request(origin: Origin, action: str = "opened", *, source: str = "shop/shop") -> dict[str, Any]:
    """`pull_request` with `opened`, `synchronize` or `reopened`; from a fork when the source is another repository."""
    event: dict[str, Any] = {
        "action": action,
        "number": NUMBER,
        "pull_request": {
            "url": f"https://api.github.com/repos/shop/shop/pulls/{NUMBER}",
            "id": 2_000_000_001,
            "number": NUMBER,
            "state": "open",
            "locked": False,
            "draft": False,
            "merged": False,
            "title": "A newer image",
            "body": None,
            "user": {"login": "alice", "id": 1, "type": "User"},
            "labels": [],
            # The tip of the branch when the pull request was pushed to: a later merge may have a newer one.
            "base": {"label": "shop:main", "ref": "main", "sha": origin.began, "repo": _repository("shop/shop")},
            "head": {
                "label": f"{source.partition('/')[0]}:feature",
                "ref": "feature",
                "sha": origin.head,
                "repo": _repository(source, fork=source != "shop/shop"),
            },
        },
        "repository": _repository("shop/shop"),
        "sender": {"login": "alice", "id": 1, "type": "User"},
    }
    if action == "synchronize":
        event |= {"before": NOWHERE.replace("0", "b"), "after": origin.head}
    return event


def push(before: str, after: str) -> dict[str, Any]:
    """`push` to the default branch; of a new branch when there was nothing before."""
    return {
        "ref": "refs/heads/main",
        "before": before,
        "after": after,
        "created": before == NOWHERE,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"https://github.com/shop/shop/compare/{before[:12]}...{after[:12]}",
        "commits": [],
        "head_commit": {"id": after, "message": "merge"},
        "repository": _repository("shop/shop"),
        "pusher": {"name": "alice"},
        "sender": {"login": "alice", "id": 1, "type": "User"},
    }


def merge_group(origin: Origin) -> dict[str, Any]:
    """`merge_group`: the merge queue asks for its checks."""
    return {
        "action": "checks_requested",
        "merge_group": {
            "head_sha": origin.merge,
            "head_ref": f"refs/heads/gh-readonly-queue/main/pr-{NUMBER}-{origin.base}",
            "base_sha": origin.base,
            "base_ref": "refs/heads/main",
            "head_commit": {"id": origin.merge, "message": "merge"},
        },
        "repository": _repository("shop/shop"),
        "sender": {"login": "github-merge-queue[bot]", "id": 2, "type": "Bot"},
    }


def _repository(name: str, *, fork: bool = False) -> dict[str, Any]:
    owner, _, short = name.partition("/")
    return {
        "id": 42,
        "name": short,
        "full_name": name,
        "private": False,
        "fork": fork,
        "owner": {"login": owner, "id": 3, "type": "Organization"},
        "default_branch": "main",
    }
