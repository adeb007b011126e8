"""Restoring: the overlay is changed so that the environment compiles to exactly what was recorded, or nothing is."""

from __future__ import annotations

from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.past import open_past, resources_at, revision_of
from envcompile.errors import EnvcError, UsageError
from envcompile.git.repository import Repository
from envcompile.revert.plan import plan_restoration, restore_output, write_restoration
from envcompile.units.project import Project
from envcompile.yamlio import load_all
from tests.harness.repository import config_map, deployment, environment, read_files, write_files
from tests.history.conftest import backend, folder, new_postgres, postgres_socket
from tests.revert.edited import ENVIRONMENTS, change, store, write_repository

if TYPE_CHECKING:
    from envcompile.model import ResourceId
    from tests.history.conftest import Folder

__all__ = ["backend", "folder", "new_postgres", "postgres_socket"]


def compiled(folder: Folder, name: str) -> dict[ResourceId, Any]:
    """What an environment compiles to now."""
    return {item.id: item.value for item in Project.open(folder.root).compile(name).resources}


def restore(folder: Folder, name: str, revision: str, only: str = "") -> list[str]:
    """Restore into the overlay; the files that changed."""
    with closing(open_past(folder.root)) as past:
        project = Project.open(folder.root)
        plan = plan_restoration(past, project, revision_of(past, name, revision), only)
        return write_restoration(project, plan)


def recorded(folder: Folder, name: str, revision: str) -> dict[ResourceId, Any]:
    """What was recorded of an environment."""
    with closing(open_past(folder.root)) as past:
        return {item.id: item.value for item in resources_at(past, revision_of(past, name, revision))}


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("seed", range(4))
def test_every_recorded_state_comes_back(folder: Folder, seed: int) -> None:
    """Whatever was edited since: the environment compiles to what was recorded, and no other one changes."""
    random = Random(seed)
    write_repository(folder)
    commits = [folder.commit("start"), *(folder.commit(change(folder, random)) for _ in range(8))]
    folder.record()
    for name in ENVIRONMENTS:
        assert restore(folder, name, "HEAD") == []
        for commit in random.sample(commits[:-1], 3):
            others = {other: compiled(folder, other) for other in ENVIRONMENTS if other != name}
            files = restore(folder, name, commit)
            assert compiled(folder, name) == recorded(folder, name, commit)
            assert {other: compiled(folder, other) for other in others} == others
            assert all(file.startswith(f"overlays/{name}/") for file in files)
            assert restore(folder, name, commit) == []
            folder.git("checkout", "--quiet", "HEAD", "--", ".")
            folder.git("clean", "--quiet", "-fd", "overlays")


def changed_lines(folder: Folder) -> list[str]:
    """The lines that `git diff` shows as gone or come."""
    lines = folder.git("diff", "--unified=0", "--", "overlays").splitlines()
    return [line for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}]


def new_files(folder: Folder) -> dict[str, str]:
    """The files that git does not know."""
    names = folder.git("ls-files", "--others", "--exclude-standard").splitlines()
    return {name: (folder.root / name).read_text() for name in names}


PATCH = """\
# prod is special
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {replicas}  # {note}
"""


def test_what_the_overlay_sets_is_set_back_where_it_stands(folder: Folder) -> None:
    """One line changes, its comment stays, and later comments do, too."""
    folder.commit("start", overlays__prod__web=PATCH.format(replicas=2, note="two"))
    folder.commit("more", overlays__prod__web=PATCH.format(replicas=7, note="seven, since Monday"))
    folder.record()
    assert restore(folder, "prod", "HEAD~1") == ["overlays/prod/web.yaml"]
    assert changed_lines(folder) == [
        "-  replicas: 7  # seven, since Monday",
        "+  replicas: 2  # seven, since Monday",
    ]


def test_a_patch_that_came_since_goes(folder: Folder) -> None:
    """Nothing is left of it but the file's other documents."""
    web = PATCH.format(replicas=2, note="two")
    folder.commit("start", overlays__prod__all="# shared\n---\n" + config_map("settings", color="red"))
    folder.commit("patch", overlays__prod__all="# shared\n---\n" + config_map("settings", color="red") + "---\n" + web)
    folder.record()
    assert restore(folder, "prod", "HEAD~1") == ["overlays/prod/all.yaml"]
    assert (folder.root / "overlays/prod/all.yaml").read_text() == "# shared\n---\n" + config_map(
        "settings", color="red"
    )


def test_what_base_changed_is_overridden_in_a_new_file(folder: Folder) -> None:
    """Base stays, so that no other environment changes; the file says what it is."""
    folder.commit("start")
    folder.commit("base", base__web=deployment(replicas=4, image="nginx:1.28"))
    folder.record()
    assert restore(folder, "prod", "HEAD~1") == ["overlays/prod/web/restored.yaml"]
    assert new_files(folder) == {
        "overlays/prod/web/restored.yaml": """\
# Written by `envc history restore prod --as-overlay`.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: web
        image: nginx:1.27
"""
    }


def test_a_setting_is_set_back_in_the_settings(folder: Folder) -> None:
    """Settings are laid over patches: an image that one names can only go back there."""
    settings = "namespace: production\nimages:\n  # pinned\n  - name: nginx\n    newTag: '{}'\n"
    folder.commit("start", overlays__prod__environment=environment(settings.format("1.28")))
    folder.commit("newer", overlays__prod__environment=environment(settings.format("1.29") + "owners: ['@a']\n"))
    folder.record()
    assert restore(folder, "prod", "HEAD~1") == ["overlays/prod/environment.yaml"]
    assert changed_lines(folder) == ["-    newTag: '1.29'", '+    newTag: "1.28"']


def test_a_setting_of_many_gives_way_to_patches(folder: Folder) -> None:
    """One workload goes back, the others keep what the setting gave them."""
    both = deployment() + "---\n" + deployment("api")
    settings = "namespace: production\nimages:\n  - name: nginx\n    newTag: '{}'\n"
    folder.commit("start", base__web=both, overlays__prod__environment=environment(settings.format("1.28")))
    folder.commit("newer", overlays__prod__environment=environment(settings.format("1.29")))
    folder.record()
    now = compiled(folder, "prod")
    restore(folder, "prod", "HEAD~1", "deployment/web")
    after = compiled(folder, "prod")
    then = recorded(folder, "prod", "HEAD~1")
    for identity, value in after.items():
        assert value == (then if identity.name == "web" else now)[identity]
    assert "images" not in (folder.root / "overlays/prod/environment.yaml").read_text()


def test_keys_of_a_file_go_back_key_by_key(folder: Folder) -> None:
    """The patch's own comments stay, other keys are left alone."""
    base = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  app.properties: |\n    a=1\n    b=2\n"
    )
    own = base.replace("    a=1\n    b=2\n", "    # louder\n    b={}\n    c=3\n")
    folder.commit("start", base__settings=base, overlays__prod__settings=own.format(5))
    folder.commit("since", overlays__prod__settings=own.format(6))
    folder.record()
    assert restore(folder, "prod", "HEAD~1") == ["overlays/prod/settings.yaml"]
    assert changed_lines(folder) == ["-    b=6", "+    b=5"]


def test_one_resource_goes_back_alone(folder: Folder) -> None:
    """With `--only` all others stay as they are."""
    folder.commit("start")
    folder.commit("both", base__web=deployment(replicas=2), base__settings=config_map(color="green", size="small"))
    folder.record()
    assert restore(folder, "prod", "HEAD~1", "configmap/settings") == ["overlays/prod/settings/restored.yaml"]
    found = {identity.name: value for identity, value in compiled(folder, "prod").items()}
    assert found["settings"]["data"]["color"] == "blue"
    assert found["web"]["spec"]["replicas"] == 2


def test_resources_come_and_go(folder: Folder) -> None:
    """What was removed comes back whole, in its own application; what was added is excluded."""
    folder.commit("start", base__shop__old=config_map("old", k="v"))
    (folder.root / "base/shop/old.yaml").unlink()
    folder.commit("since", base__shop__new=config_map("new", k="v"))
    folder.record()
    assert restore(folder, "prod", "HEAD~1") == [
        "overlays/prod/environment.yaml",
        "overlays/prod/shop/restored.yaml",
    ]
    assert changed_lines(folder) == ["+exclude:", "+- kind: ConfigMap", "+  name: new"]


def test_a_commit_that_git_holds_no_more_comes_back(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorded resources are enough: settings follow from what they show."""
    random = Random(7)
    write_repository(folder)
    commits = [folder.commit("start"), *(folder.commit(change(folder, random)) for _ in range(6))]
    folder.record()
    monkeypatch.setattr(Repository, "has", lambda *_: False)
    for commit in commits[:-1]:
        restore(folder, "prod", commit)
        assert compiled(folder, "prod") == recorded(folder, "prod", commit)
        folder.git("checkout", "--quiet", "HEAD", "--", ".")
        folder.git("clean", "--quiet", "-fd", "overlays")


@pytest.mark.parametrize("is_in_git", [True, False])
@pytest.mark.parametrize("first", ["fewer", "more"])
def test_keys_of_secrets_come_and_go_with_their_ciphertexts(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, first: str, *, is_in_git: bool
) -> None:
    """The Secret declares what it did, and the store holds nothing else; values are sealed as they were."""
    write_repository(folder)
    secret, sealed = folder.root / "base/web/secret.yaml", folder.root / "overlays/prod/sealed.yaml"
    fewer = (secret.read_text(), store("prod", {"password": "1", "token": "1"}))
    more = (f"{fewer[0]}  third: ref+env://THIRD\n", store("prod", {"password": "2", "token": "1", "third": "1"}))
    for name in ("dev", "staging"):
        (folder.root / f"overlays/{name}/sealed.yaml").write_text(
            store(name, {"password": "1", "token": "1", "third": "1"})
        )
    for texts in (fewer, more) if first == "fewer" else (more, fewer):
        secret.write_text(texts[0])
        sealed.write_text(texts[1])
        folder.commit("next")
    folder.record()
    if not is_in_git:
        monkeypatch.setattr(Repository, "has", lambda *_: False)
    restore(folder, "prod", "HEAD~1")
    assert compiled(folder, "prod") == recorded(folder, "prod", "HEAD~1")
    keys = sorted(title.rpartition("/")[2] for title in load_all(sealed.read_bytes(), "")[0])
    assert keys == (["password", "token"] if first == "fewer" else ["password", "third", "token"])


def test_what_cannot_be_reached_is_said_and_nothing_is_written(folder: Folder) -> None:
    """A label of an environment that is extended cannot be taken away from above."""
    folder.commit("start")
    write_files(
        folder.root,
        {
            "overlays/shared/environment.yaml": environment("abstract: true\nlabels: {tier: one}\n"),
            "overlays/prod/environment.yaml": environment("namespace: production\nextends: [../shared]\n"),
            "overlays/dev/environment.yaml": environment("extends: [../shared]\nnamespace: production\n"),
        },
    )
    folder.commit("shared")
    (folder.root / "overlays/prod/environment.yaml").write_text(
        environment("namespace: production\nextends: [../shared, ../more]\n")
    )
    folder.commit("more", overlays__more__environment=environment("abstract: true\nlabels: {tier: one}\n"))
    folder.record()
    assert restore(folder, "prod", "HEAD~2") == ["overlays/prod/environment.yaml"]
    folder.git("checkout", "--quiet", "HEAD", "--", ".")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Repository, "has", lambda *_: False)
        with pytest.raises(EnvcError) as caught:
            restore(folder, "prod", "HEAD~2")
    short = folder.git("rev-parse", "--short=12", "HEAD~2")
    fix = (
        "hint: `--as-output` writes the output as it was; or take the sources back: "
        f"git checkout {short} -- base overlays"
    )
    assert str(caught.value) == "\n\n".join(
        f"error: no change of overlays/prod alone takes it back: {identity} (namespace production) would still differ "
        f"in `metadata.labels`\n{fix}"
        for identity in ("ConfigMap/settings", "Deployment.apps/web")
    )
    assert folder.git("status", "--porcelain", "overlays") == ""


def test_an_overlay_that_others_extend_is_left_alone(folder: Folder) -> None:
    """No other environment changes, whatever it takes."""
    folder.commit("start", overlays__staging__environment=environment("extends: [../prod]\n"))
    folder.commit("since", base__web=deployment(replicas=4))
    folder.record()
    with pytest.raises(EnvcError) as caught:
        restore(folder, "prod", "HEAD~1")
    assert str(caught.value) == (
        "error: overlays/prod is laid under staging, which would change with it\n"
        "hint: take its patches into an overlay of their own first; `--as-output` changes no source"
    )
    assert folder.git("status", "--porcelain", "overlays") == ""


def test_a_symlinked_folder_is_left_alone(folder: Folder) -> None:
    """Another environment may lie at its other end."""
    folder.commit("start", overlays__dev__more__web=PATCH.format(replicas=2, note="two"))
    (folder.root / "overlays/prod/more").symlink_to("../dev/more")
    folder.commit("link")
    folder.commit("since", overlays__dev__more__web=PATCH.format(replicas=3, note="three"))
    folder.record()
    with pytest.raises(EnvcError) as caught:
        restore(folder, "prod", "HEAD~1")
    assert str(caught.value) == (
        "error: overlays/prod/more/web.yaml lies in a folder that is reached through a symlink: others may use it, "
        "too\n"
        "hint: put a copy in the symlink's place first; `--as-output` changes no source"
    )
    assert folder.git("status", "--porcelain") == ""


def test_a_secret_in_clear_comes_back_from_git_only(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value is in no database."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{k: {}}}\n"
    settings = environment("secretBackend: plaintext\n")
    folder.commit("start", overlays__dev__environment=settings, overlays__dev__s=secret.format("one"))
    folder.commit("since", overlays__dev__s=secret.format("two"))
    folder.record()
    assert restore(folder, "dev", "HEAD~1") == ["overlays/dev/s.yaml"]
    assert changed_lines(folder) == ["-stringData: {k: two}", "+stringData: {k: one}"]
    monkeypatch.setattr(Repository, "has", lambda *_: False)
    with pytest.raises(UsageError) as caught:
        restore(folder, "dev", "HEAD~1")
    assert str(caught.value) == (
        "error: what Secret/s holds was never recorded: it is a secret in clear\n"
        "hint: write its file anew, then restore the others one by one with `--only`"
    )


@pytest.mark.usefixtures("backend")
def test_the_output_goes_back_byte_for_byte(folder: Folder) -> None:
    """The folder is what a build of that commit would have written; with a name only one file of it changes."""
    first = folder.commit("start")
    folder.commit("more", base__web=deployment(replicas=2), base__more=config_map("more"))
    folder.record()
    target = folder.root / "environments" / "prod"
    with closing(open_past(folder.root)) as past:
        restore_output(past, folder.root, revision_of(past, "prod", first), layout="resource")
        once = read_files(target)
        assert len(restore_output(past, folder.root, revision_of(past, "prod", "HEAD"), layout="resource")) == 2
        now = read_files(target)
        changed = restore_output(
            past, folder.root, revision_of(past, "prod", first), "deployment/web", layout="resource"
        )
        assert changed == ["web/deployment-web.yaml"]
        index = {".envc-index"}
        assert {path: data for path, data in read_files(target).items() if path not in index} == {
            path: once[path] if path in changed else data for path, data in now.items() if path not in index
        }
        restore_output(past, folder.root, revision_of(past, "prod", first), layout="resource")
        assert read_files(target) == once
