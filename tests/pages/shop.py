"""The shop with a past: ordinary edits of several people, with mistakes left in, for pages to find something."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from envcompile.actions.past import open_past
from envcompile.actions.record import record
from tests.harness.command import PACKAGE_ROOT

if TYPE_CHECKING:
    from pathlib import Path

NOW: Final = datetime(2026, 11, 28, 17, 0, tzinfo=UTC)
"""When the pages are read: an hour after the last commit."""
PEOPLE: Final = {
    "ada": ("Ada Okafor", "ada@example.com"),
    "jonas": ("Jonas Lind", "jonas@example.com"),
    "mei": ("Mei Tanaka", "mei@example.com"),
    "priya": ("Priya Nair", "priya@example.com"),
    "tomas": ("Tomás Ruiz", "tomas@example.com"),
}
OLDER: Final = {
    "dev": {"user-service": "v1.4.2", "app": "v1.3.1"},
    "test": {"user-service": "v1.4.2", "app": "v1.3.1"},
    "staging": {"user-service": "v1.4.2", "app": "v1.3.1", "video-encoder": "v1.2.0"},
    "prod": {"user-service": "v1.4.1", "app": "v1.3.0"},
}
"""What ran before the first release that is told of."""
INGRESS: Final = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: video-service-ingress
spec:
  rules:
    - host: ${{ params.domain }}
      http:
        paths:
          - path: /api/videos
            pathType: Prefix
            backend:
              service:
                name: video-api
                port:
                  name: http
"""


class Shop:
    """The shop in a repository of its own.

    Args:
        root: its folder, which is not there yet.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        for name in ("base", "overlays"):
            shutil.copytree(PACKAGE_ROOT / name, root / name)
        shutil.copy2(PACKAGE_ROOT / "envc.yaml", root)
        (root / ".gitignore").write_text(".envc/\nenvironments/\n")
        self._git("init", "--quiet", "--initial-branch=main")

    def release(self, environment: str, service: str, tag: str) -> None:
        """Let an environment run another version."""
        file = self.root / "overlays" / environment / "environment.yaml"
        pattern = rf"(registry\.example\.com/{service}\n    newTag: )\S+"
        text, count = re.subn(pattern, rf"\g<1>{tag}", file.read_text())
        assert count == 1, (environment, service)
        file.write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        """Put one text in the place of another."""
        file = self.root / path
        text = file.read_text()
        assert old in text, (path, old)
        file.write_text(text.replace(old, new, 1))

    def commit(self, who: str, days: float, message: str, approved: str = "") -> None:
        """Commit everything, so many days before now."""
        name, address = PEOPLE[who]
        if approved:
            message += f"\n\nReviewed-by: {PEOPLE[approved][0]} <{PEOPLE[approved][1]}>"
        moment = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S+0000")
        self._git("add", "--all")
        self._git(
            *("-c", f"user.name={name}", "-c", f"user.email={address}", "commit", "--quiet", f"--message={message}"),
            at=moment,
        )

    def record(self) -> None:
        """Record everything that is committed."""
        with closing(open_past(self.root, create=True)) as past:
            record(past.repository, past.store, past.repository.walk(["HEAD"], oldest_first=True))

    def _git(self, *words: str, at: str = "") -> None:
        dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at} if at else {}
        subprocess.run(["git", *words], cwd=self.root, env={**os.environ, **dates}, check=True, capture_output=True)


def make_shop(root: Path) -> Shop:
    """The shop with two months of commits, recorded."""
    shop = Shop(root)
    for environment, versions in OLDER.items():
        for service, tag in versions.items():
            shop.release(environment, service, tag)
    shop.edit("overlays/prod/user-service.yaml", "cpu: 500m", "cpu: 250m")
    shop.edit("overlays/prod/user-service.yaml", "maximum-pool-size=50", "maximum-pool-size=30")
    shop.commit("ada", 61.4, "The shop moves to envc", "jonas")
    shop.release("prod", "user-service", "v1.4.2")
    shop.commit("jonas", 40.1, "user-service v1.4.2 to prod", "priya")
    shop.release("prod", "app", "v1.3.1")
    shop.commit("mei", 52.3, "app v1.3.1 to prod", "tomas")
    shop.edit("overlays/prod/user-service.yaml", "maximum-pool-size=30", "maximum-pool-size=50")
    shop.commit("priya", 31.3, "Prod: 50 database connections for each user service", "ada")
    shop.release("staging", "user-service", "v1.4.3")
    shop.commit("jonas", 18.0, "user-service v1.4.3 to staging", "mei")
    shop.release("staging", "app", "v1.3.2")
    shop.commit("mei", 12.1, "app v1.3.2 to staging", "tomas")
    shop.edit("overlays/prod/user-service.yaml", "cpu: 250m", "cpu: 500m")
    shop.commit("priya", 9.2, "User service: 500m CPU in prod", "ada")
    shop.release("staging", "video-encoder", "latest")
    shop.commit("tomas", 8.1, "Staging: the encoder of last night's build")
    shop.release("dev", "user-service", "v1.5.0-rc.2")
    shop.commit("jonas", 5.3, "user-service v1.5.0-rc.2 to dev")
    shop.release("test", "user-service", "v1.5.0-rc.2")
    shop.commit("jonas", 4.3, "user-service v1.5.0-rc.2 to test")
    _drop_limits(shop)
    shop.commit("mei", 3.3, "Staging: recommendations without limits while we measure")
    (shop.root / "overlays/test/video-ingress.yaml").write_text(INGRESS)
    shop.commit("tomas", 1.0, "Test: the new name of the video route")
    shop.edit("overlays/prod/user-service.yaml", "session.timeout=15m", "session.timeout=20m")
    shop.commit("priya", 0.05, "Prod: sessions end after 20 minutes, not 15")
    shop.record()
    return shop


def _drop_limits(shop: Shop) -> None:
    file = shop.root / "overlays/staging/recommendation-service.yaml"
    text = file.read_text()
    start = text.index("            limits:")
    file.write_text(f"{text[:start]}            limits: null\n{text[text.index('---', start) :]}")
