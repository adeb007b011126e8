"""What environments cost over time, from what was recorded."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

from envcompile.actions.cost_history import cost_history
from envcompile.cost.prices import DEFAULT
from tests.history.conftest import START

if TYPE_CHECKING:
    from envcompile.actions.cost_history import CostHistory
    from tests.history.conftest import Folder

CORE = 23_076_030
HOUR = 3600


def web(replicas: int, cpu: str) -> str:
    """A Deployment of a size."""
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
        f"  replicas: {replicas}\n  selector: {{matchLabels: {{app: web}}}}\n"
        "  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n"
        f"      - {{name: web, image: 'nginx:1.27', resources: {{requests: {{cpu: {cpu}}}}}}}\n"
    )


def told(folder: Folder, *environments: str, now: int, since: str) -> CostHistory:
    """The costs at the list that comes with envc."""
    with closing(folder.past()) as past:
        return cost_history(past, ["dev", "prod"], environments, DEFAULT, date(2026, 1, 1), now, since)


def test_commits_that_make_it_dearer(folder: Folder) -> None:
    """With the fields; a commit that costs the same is none, and the begin of the record is none."""
    folder.commit("start", base__web=web(2, "500m"))
    more = folder.commit("more", base__web=web(4, "500m"))
    folder.commit("another image", base__web=web(4, "500m").replace("1.27", "1.28"))
    scaler = (
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  minReplicas: 3\n"
        "  maxReplicas: 8\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n"
    )
    scaled = folder.commit("scaled", overlays__prod__hpa=scaler)
    folder.record()
    dev, prod = told(folder, now=START + HOUR, since="2023-01-01").environments
    assert [(step.commit.hash, step.money.expected.total) for step in dev.steps] == [(more, CORE)]
    assert [(step.commit.hash, step.money.expected.total) for step in prod.steps] == [
        (more, CORE),
        (scaled, -CORE // 2),
    ]
    causes = [(cause.field, cause.old, cause.new) for step in dev.steps for item in step.items for cause in item.causes]
    assert causes == [("spec.replicas", 2, 4)]
    (cause,) = prod.steps[1].items[0].causes
    assert (cause.resource.kind, cause.field) == ("HorizontalPodAutoscaler", "")
    assert (prod.monthly.expected.total, prod.monthly.most.total) == (3 * CORE // 2, 4 * CORE)


def test_what_was_spent_is_by_the_second(folder: Folder) -> None:
    """A core for a time, and two from a later commit on; a period may begin between."""
    folder.commit("start", base__web=web(1, '"1"'))
    folder.commit("more", base__web=web(2, '"1"'))
    folder.record()
    with closing(folder.past()) as past:
        log = past.store.commits(past.store.known())
        first, second = sorted(commit.committed_at for commit in log.values())
    now = second + HOUR
    (dev,) = told(folder, "dev", now=now, since="2023-01-01").environments
    seconds = (second - first) + 2 * HOUR
    assert dev.spent.expected.total == round(seconds * 31_611 / 3600)  # 0.031611 dollars a core and hour
    (dev,) = told(folder, "dev", now=now, since="1h").environments
    assert dev.spent.expected.total == 2 * 31_611


def test_a_workload_that_goes(folder: Folder) -> None:
    """It costs nothing from then on."""
    folder.commit("start", base__web=web(1, '"1"'))
    folder.git("rm", "-q", "base/web.yaml")
    gone = folder.commit("gone")
    folder.record()
    (dev,) = told(folder, "dev", now=START + HOUR, since="2023-01-01").environments
    assert [(step.commit.hash, step.money.expected.total) for step in dev.steps] == [(gone, -CORE)]
    assert dev.monthly.expected.total == 0


def test_a_commit_of_a_clock_that_is_ahead(folder: Folder) -> None:
    """It is not told of yet, but what it changed counts from the next commit on."""
    folder.commit("start", base__web=web(1, '"1"'))
    ahead = folder._replace(minutes=iter(range(1000, 2000)))
    ahead.commit("ahead", base__other=web(3, '"1"').replace("web", "other"))
    last = folder.commit("last", base__web=web(2, '"1"'))
    folder.record()
    (dev,) = told(folder, "dev", now=START + HOUR, since="2023-01-01").environments
    assert [(step.commit.hash, step.money.expected.total) for step in dev.steps] == [(last, 4 * CORE)]
    assert dev.monthly.expected.total == 5 * CORE
