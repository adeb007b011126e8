"""`envc lsp` over the protocol: what an editor is told, and what becomes of the sources by it."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.editor.server import lines_of
from tests.editor.client import edit_project
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.editor.client import Editor

WEB = "base/web/deployment.yaml"
PATCH = "overlays/prod/web.yaml"
SETTINGS = "overlays/prod/environment.yaml"


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    """A Deployment that reads a ConfigMap, which prod patches; a parameter that both environments set."""
    env = (
        "        env:\n"
        "          - name: COLOR\n"
        "            valueFrom:\n"
        "              configMapKeyRef:\n"
        "                name: settings\n"
        "                key: color\n"
        "          - name: SIZE\n"
        '            value: "${{ params.size }}"\n'
    )
    made = make_project({
        WEB: deployment(image="nginx") + env,
        "base/web/config.yaml": f"# Größe, 🎨\n{config_map()}",
        "overlays/dev/environment.yaml": environment(
            "params:\n  size: '1'\nimages:\n- name: nginx\n  newTag: '1.28'\n"
        ),
        SETTINGS: environment("params:\n  size: '3'\nimages:\n- name: nginx\n  newTag: '1.27'\n"),
        PATCH: "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 4\n",
    })
    assert run_envc(made, "build").code == 0
    return made.resolve()


def test_a_hover_has_the_value_in_every_environment_and_its_winner(root: Path) -> None:
    """A field of the base, of an overlay, in a list; a parameter; a value that is not saved yet."""

    async def work(editor: Editor) -> None:
        text = await editor.show(WEB)
        said = await editor.hover(WEB, editor.place(text, "replicas: 1"))
        assert "**Deployment/web** `spec.replicas`" in said
        assert "| dev | `1` | base/web/deployment.yaml:6:13 |" in said
        assert "| prod | `4` | overlays/prod/web.yaml:6:13 |" in said
        said = await editor.hover(WEB, editor.place(text, "image: nginx"))
        assert "`spec.template.spec.containers[name=web].image`" in said
        assert "| dev | `nginx:1.28` | overlays/dev/environment.yaml:7:11 |" in said
        said = await editor.hover(WEB, editor.place(text, "params.size", 8))
        assert "| dev | `1` | overlays/dev/environment.yaml:4:9 |" in said
        patch = await editor.show(PATCH)
        assert "| prod | `4` |" in await editor.hover(PATCH, editor.place(patch, "replicas"))
        changed = await editor.show(PATCH, patch.replace("4", "77"))
        assert "| prod | `77` |" in await editor.hover(PATCH, editor.place(changed, "replicas"))

    edit_project(root, work)


def test_ways_lead_from_base_to_overlays_and_back(root: Path) -> None:
    """And from the use of a parameter to all that set it."""

    async def work(editor: Editor) -> None:
        text = await editor.show(WEB)
        assert await editor.definitions(WEB, editor.place(text, "replicas: 1")) == [f"{PATCH}:6"]
        patch = await editor.show(PATCH)
        assert await editor.definitions(PATCH, editor.place(patch, "replicas")) == [f"{WEB}:6"]
        found = await editor.definitions(WEB, editor.place(text, "params.size", 8))
        assert found == ["overlays/dev/environment.yaml:4", f"{SETTINGS}:4"]

    edit_project(root, work)


def test_what_is_wrong_is_told_while_one_types(root: Path) -> None:
    """As a build and as a check would; what is mended is taken back, and what does not parse is told, too."""

    async def work(editor: Editor) -> None:
        assert any(found.source == "envc check" for items in editor.diagnostics.values() for found in items)
        text = await editor.show(PATCH)
        await editor.show(PATCH, text.replace("name: web", "name: wbe"))
        (found,) = editor.diagnostics[PATCH]
        assert (found.source, found.range.start.line) == ("envc build", 0)
        assert "the patch has no target" in found.message
        assert "in prod" in found.message
        await editor.show(PATCH, text.replace("  replicas", "\t- ["))
        assert "tab" in editor.diagnostics[PATCH][0].message.lower()
        await editor.show(PATCH, text)
        assert not [found for found in editor.diagnostics.get(PATCH, []) if found.source == "envc build"]
        assert (root / PATCH).read_text(encoding="utf-8") == text

    edit_project(root, work)


@pytest.mark.parametrize(
    ("path", "typed", "instead", "expected", "not_expected"),
    [
        (WEB, "  replicas: 1\n", "  replicas: 1\n  min\n", ["minReadySeconds"], ["replicas", "image"]),
        (
            WEB,
            "image: nginx\n",
            "image: nginx\n        imageP\n",
            ["imagePullPolicy"],
            ["replicas"],
        ),
        (WEB, "                name: settings\n", "                name: s\n", ["settings"], ["web"]),
        (WEB, "${{ params.size }}", "${{ params.s", ["size"], ["web"]),
        (WEB, "image: nginx\n", "image: n\n", ["nginx:1.27", "nginx:1.28"], ["web"]),
        (PATCH, "  name: web\n", "  name: w\n", ["web"], ["settings"]),
        (SETTINGS, "params:\n", "name\nparams:\n", ["namespace", "replicas"], ["params"]),
        (SETTINGS, "- name: nginx\n", "- name: n\n", ["nginx"], ["web"]),
    ],
    ids=["field", "field of a container", "reference", "parameter", "image", "own name", "setting", "named image"],
)
def test_completion(
    root: Path, path: str, typed: str, instead: str, expected: list[str], not_expected: list[str]
) -> None:
    """Fields of the schema that are not there yet, names of resources, parameters, images, settings."""

    async def work(editor: Editor) -> None:
        text = (root / path).read_text(encoding="utf-8")
        changed = await editor.show(path, text.replace(typed, instead))
        last = next(line for line in reversed(instead.splitlines()) if line not in typed.splitlines())
        found = await editor.completions(path, editor.place(changed, last, len(last)))
        assert set(expected) <= set(found)
        assert not set(not_expected) & set(found)

    edit_project(root, work)


def test_a_resource_is_renamed_wherever_it_is_named(root: Path) -> None:
    """In the base, in patches and in references; labels of the same word are no names, comments stay."""

    async def work(editor: Editor) -> None:
        text = await editor.show("base/web/config.yaml")
        await editor.rename("base/web/config.yaml", editor.place(text, "name: settings", 7), "colours")
        patch = await editor.show(PATCH)
        await editor.rename(PATCH, editor.place(patch, "name: web", 7), "site")

    edit_project(root, work)
    assert "# Größe, 🎨" in (root / "base/web/config.yaml").read_text(encoding="utf-8")
    assert "app: web" in (root / WEB).read_text(encoding="utf-8")
    assert run_envc(root, "show", "prod", "--list").out == "ConfigMap/colours\nDeployment.apps/site\n"
    assert "name: colours" in run_envc(root, "show", "dev", "deployment/site").out


def test_a_parameter_is_renamed_where_it_is_set_and_used(root: Path) -> None:
    """In all environments; what they compile to stays the same."""
    before = run_envc(root, "show", "prod").out

    async def work(editor: Editor) -> None:
        text = await editor.show(WEB)
        await editor.rename(WEB, editor.place(text, "params.size", 8), "amount")

    edit_project(root, work)
    assert "amount: '3'" in (root / SETTINGS).read_text(encoding="utf-8")
    assert "${{ params.amount }}" in (root / WEB).read_text(encoding="utf-8")
    assert run_envc(root, "show", "prod").out == before


def test_a_rename_that_would_break_something_is_refused(root: Path) -> None:
    """Nothing is changed when the name is taken."""
    (root / "base/web/second.yaml").write_text(config_map("colours", size="1"), encoding="utf-8")

    async def work(editor: Editor) -> None:
        text = await editor.show("base/web/config.yaml")
        with pytest.raises(Exception, match=r"would|name"):
            await editor.rename("base/web/config.yaml", editor.place(text, "name: settings", 7), "colours")

    edit_project(root, work)


def test_code_actions_mend_and_set_aside(root: Path) -> None:
    """The name that was meant, the mend of a rule, an annotation with room for the reason, a grade in the settings."""
    (root / "base/web/live.yaml").write_text(
        config_map("live").replace("name: live", "name: live\n  uid: 0d0f"), encoding="utf-8"
    )

    async def work(editor: Editor) -> None:
        (found,) = [one for one in editor.diagnostics["base/web/live.yaml"] if one.code == "cluster-leftover"]
        await editor.act("base/web/live.yaml", found, "Set `cluster-leftover` aside for ConfigMap/live")
        assert "envcompile.dev/ignore" in (root / "base/web/live.yaml").read_text(encoding="utf-8")
        (root / "base/web/live.yaml").write_text(
            config_map("live").replace("name: live", "name: live\n  uid: 0d0f"), encoding="utf-8"
        )
        await editor.act("base/web/live.yaml", found, "Mend every `cluster-leftover`")
        assert "uid" not in (root / "base/web/live.yaml").read_text(encoding="utf-8")
        settings = (root / SETTINGS).read_text(encoding="utf-8")
        await editor.show(SETTINGS, settings.replace("nginx", "ngnix"))
        (found,) = editor.diagnostics[SETTINGS]
        (root / SETTINGS).write_text(settings.replace("nginx", "ngnix"), encoding="utf-8")
        await editor.act(SETTINGS, found, "Write `nginx`")
        assert (root / SETTINGS).read_text(encoding="utf-8") == settings

    edit_project(root, work)


def test_without_pygls_it_is_said_what_to_install(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The language server is an extra: nobody else has to install a protocol."""
    for name in [name for name in sys.modules if name.startswith(("envcompile.editor.server", "pygls", "lsprotocol"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.setitem(sys.modules, "lsprotocol", None)
    outcome = run_envc(root, "lsp")
    assert outcome.code == 4
    assert outcome.err == "error: the language server needs pygls\nhint: pip install 'envcompile[lsp]'\n"


def test_keys_are_answered_while_rules_are_looked_at(root: Path) -> None:
    """What looks for what is wrong is another process: nothing that an answer needs is in its hands."""

    async def work(editor: Editor) -> None:
        text = await editor.show(PATCH)
        for number in range(2, 22):
            editor.type(PATCH, text.replace("4", str(number)))
            assert f"| prod | `{number}` |" in await editor.hover(PATCH, editor.place(text, "replicas"))
            await asyncio.sleep(0.03 * (number % 9))

    edit_project(root, work)


def test_a_separator_of_unicode_ends_no_line() -> None:
    """Lines are those of the protocol, so that an edit of a line is about no other one."""
    text = 'a: "one\u2028two\x85three"\r\nb: 1\n\nc: 2\rd'
    assert lines_of(text) == ['a: "one\u2028two\x85three"\r\n', "b: 1\n", "\n", "c: 2\r", "d"]
    assert lines_of("") == []
