"""`envc simulate` as people see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.actions.test_simulate import HPA, PRICES, WEB
from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workload with its autoscaler, and a load."""
    rows = [f"2026-03-06T18:{minute:02},{3 if 10 <= minute < 30 else 0.6},<b>x</b>" for minute in range(40)]
    write_files(
        tmp_path,
        {
            "base/web/web.yaml": WEB,
            "base/web/scaler.yaml": HPA,
            "overlays/prod/environment.yaml": environment("namespace: prod\n"),
            "prices.yaml": PRICES,
            "load.csv": "\n".join(["time,cpu,host", *rows]) + "\n",
        },
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_figures_side_by_side(root: Path) -> None:
    """What was replayed, a column each setting, and what the second one changes."""
    said = run_envc(root, "simulate", "prod", "deployment/web", "--load", "load.csv", "--set", "maxReplicas=4")
    assert said.code == 0, said.err
    assert said.out == (
        "Deployment/web in prod: HorizontalPodAutoscaler/web\n"
        "load: load.csv, 2026-03-06 18:00 to 2026-03-06 18:40; a pod serves 0.5 cores\n"
        "\n"
        "                                    as configured           maxReplicas=4\n"
        "  replicas                 2 to 8, 5.7 on average  2 to 4, 3.2 on average\n"
        "  rescales                                      3                       2\n"
        "  at the maximum                        24.75 min                  25 min\n"
        "  shortage                                  1 min                  20 min\n"
        "    worst (cores)                               2                       2\n"
        "    all (cores x minutes)                    1.75                   20.75\n"
        "  pod hours                                   3.8                     2.2\n"
        "  EUR for the load                           7.63                    4.33\n"
        "  EUR a month                            8,358.50                4,745.00\n"
        "\n"
        "  maxReplicas=4: 43.2% fewer pod hours, 19 min more shortage\n"
    )


@pytest.mark.parametrize("ending", ["svg", "html"])
def test_a_plot_is_drawn_beside(root: Path, ending: str) -> None:
    """Markup in names is text."""
    (root / "<i>load.csv").write_bytes((root / "load.csv").read_bytes())
    said = run_envc(root, "simulate", "prod", "deployment/web", "--load", "<i>load.csv", "--plot", f"plot.{ending}")
    assert (said.code, said.err) == (0, f"drawn into plot.{ending}\n")
    drawn = (root / f"plot.{ending}").read_text(encoding="utf-8")
    assert drawn.startswith("<svg " if ending == "svg" else "<!doctype html>")
    assert "as configured" in drawn
    assert "<i>load" not in drawn
    assert "http://" not in drawn.replace("http://www.w3.org/", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "one load is needed"),
        (("--load", "load.csv", "--recorded"), "one load is needed"),
        (("--recorded",), "ENVC_HISTORY_URL names no database"),
        (("--load", "load.csv", "--plot", "plot.png"), "is no name of a plot"),
        (("--load", "load.csv", "--column", "cpu"), "cpu names nothing"),
        (("--load", "none.csv"), "none.csv cannot be read"),
        (("--load", "load.csv", "--capacity", "cpu=many"), "'many', which is no quantity"),
        (("--recorded", "--since", "1e300"), "`1e300` is no time"),
        (("--recorded", "--since", "99999d"), "no load is read from `99999d` on"),
        (("--prometheus", "http://127.0.0.1:9", "--since", "2999-01-01"), "no load is read from `2999-01-01` on"),
        (("--load", "load.csv", "--start", "99999999999999999"), "'--start'"),
        (("--prometheus", "http://127.0.0.1:9"), "does not answer"),
    ],
)
def test_what_is_asked_wrongly_is_told(root: Path, words: tuple[str, ...], told: str) -> None:
    """As usage; a Prometheus that is down is outside."""
    said = run_envc(root, "simulate", "prod", "deployment/web", *words)
    assert said.code == (4 if words == ("--prometheus", "http://127.0.0.1:9") else 2)
    assert told in said.err
    assert not said.out
