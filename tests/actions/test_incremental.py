"""However the sources come to be what they are, `envc build` ends where a build from nothing would."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, read_files, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MakeProject

PATCH = "apiVersion: envcompile.dev/v1\nkind: Patch\noptional: true\n"
TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\ndata:\n  app.properties: |\n    a={}\n    b=1\n"
LIBRARY = "{{ map(n):: {{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {{ name: n }}, data: {{ v: '{}' }} }} }}\n"
READS = "        envFrom: [{configMapRef: {name: api}}]\n"
NAMES = ("web", "api", "jobs")


def settings(chance: random.Random, name: str) -> str:
    """Settings of an environment: some of them at random."""
    lines = [
        f"namespace: {name}",
        f"params: {{color: c{chance.randrange(3)}}}",
        "extends: [../common]",
        f"labels: {{l: v{chance.randrange(3)}}}",
        chance.choice(["rollout: none", "rollout: checksum", "rollout: reloader"]),
        chance.choice(["syncWaves: true", "syncWaves: false"]),
        chance.choice(["exclude: [{kind: ConfigMap, name: j}]", "exclude: []"]),
        chance.choice(["configMerge: replace", "configMerge: merge"]),
    ]
    return environment("\n".join([*lines[:3], *chance.sample(lines[3:], 2)]) + "\n")


def first_files(chance: random.Random) -> dict[str, str]:
    """Three services, a parameter, a library, patches, two environments over a common layer."""
    return {
        **{f"base/{name}/deployment.yaml": deployment(name) + READS for name in NAMES},
        **{f"base/{name}/config.yaml": TEXT.format(name, 0) for name in NAMES},
        "base/web/params.yaml": config_map("colored", color="${{ params.color }}"),
        "base/j/map.jsonnet": "local x = import 'x.libsonnet'; x.map('j')\n",
        "lib/x.libsonnet": LIBRARY.format(0),
        "overlays/common/config.yaml": TEXT.format("web", 7),
        "overlays/common/patch.yaml": f"{PATCH}target: {{kind: Deployment}}\nmerge: {{spec: {{replicas: 2}}}}\n",
        "overlays/dev/environment.yaml": settings(chance, "dev"),
        "overlays/prod/environment.yaml": settings(chance, "prod"),
    }


def edits(chance: random.Random, root: Path) -> dict[str, Callable[[], None]]:
    """Everything that people do to a repository, each at random."""
    name = chance.choice(NAMES)
    place = chance.choice(["dev", "prod"])
    number = chance.randrange(4)

    def put(path: str, text: str) -> None:
        write_files(root, {path: text})

    def remove(path: str) -> None:
        (root / path).unlink(missing_ok=True)

    def rename() -> None:
        source = root / f"base/{name}/config.yaml"
        target = root / f"base/{chance.choice(NAMES)}/moved-{number}.yaml"
        if source.exists() and not target.exists():
            source.rename(target)

    return {
        "value": lambda: put(f"base/{name}/config.yaml", TEXT.format(name, number)),
        "image": lambda: put(f"base/{name}/deployment.yaml", deployment(name, image=f"x:{number}") + READS),
        "overlay": lambda: put(f"overlays/{place}/{name}.yaml", TEXT.format(name, number + 10)),
        "no overlay": lambda: remove(f"overlays/{place}/{name}.yaml"),
        "common": lambda: put("overlays/common/config.yaml", TEXT.format(chance.choice(NAMES), number)),
        "patch": lambda: put(
            "overlays/common/patch.yaml",
            f"{PATCH}target: {{kind: Deployment, name: {name[0]}*}}\nmerge: {{spec: {{replicas: {number}}}}}\n",
        ),
        "deletion": lambda: put(
            f"overlays/{place}/gone.yaml",
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"
            + chance.choice(["$patch: delete\n", "data: {z: z}\n"]),
        ),
        "no deletion": lambda: remove(f"overlays/{place}/gone.yaml"),
        "library": lambda: put("lib/x.libsonnet", LIBRARY.format(number)),
        "nearer library": lambda: put("base/j/x.libsonnet", LIBRARY.format(f"near {number}")),
        "no nearer library": lambda: remove("base/j/x.libsonnet"),
        "parameter": lambda: put(
            "base/web/params.yaml", config_map("colored", color="${{ params.color }}", n=f'"{number}"')
        ),
        "settings": lambda: put(f"overlays/{place}/environment.yaml", settings(chance, place)),
        "project": lambda: put("envc.yaml", chance.choice(["", "environments: [prod]\n", "configMerge: replace\n"])),
        "extra": lambda: put(f"base/{name}/extra.yaml", config_map(f"extra-{number}")),
        "rename": rename,
        "touch": (root / f"base/{name}/deployment.yaml").touch,
        "broken": lambda: put(f"base/{name}/broken.yaml", "a: [\n"),
        "mended": lambda: remove(f"base/{name}/broken.yaml"),
        "output removed": lambda: shutil.rmtree(root / f"environments/{place}/{name}", ignore_errors=True),
        "one environment": lambda: _built(root, place),
    }


def _built(root: Path, *names: str) -> None:
    run_envc(root, "build", *names)


@pytest.mark.parametrize("seed", range(3))
def test_random_edits_end_where_a_build_from_nothing_ends(make_project: MakeProject, tmp_path: Path, seed: int) -> None:
    """Forty edits, one to three at a time, quick after one another; a broken state leaves the last good output."""
    chance = random.Random(seed)
    root = make_project(first_files(chance))
    assert run_envc(root, "build").code == 0
    done = []
    good = 0
    for step in range(40):
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            name, edit = chance.choice(list(edits(chance, root).items()))
            edit()
            done.append(name)
        before = read_files(root / "environments")
        outcome = run_envc(root, "build")
        fresh = tmp_path / f"fresh-{step}"
        shutil.copytree(root, fresh, ignore=shutil.ignore_patterns("environments", ".envc"))
        expected = run_envc(fresh, "build")
        assert outcome.code == expected.code, (done, outcome, expected)
        if expected.code:
            assert outcome.err == expected.err
            assert read_files(root / "environments") == before
            write_files(root, first_files(chance))
            for pattern in ("base/*/broken.yaml", "base/*/moved-*.yaml", "overlays/*/gone.yaml"):
                for path in root.glob(pattern):
                    path.unlink()
        else:
            good += 1
            assert read_files(root / "environments") == read_files(fresh / "environments"), done
            assert run_envc(root, "build", "--check").code == 0, done
        shutil.rmtree(fresh)
    assert good > 10
