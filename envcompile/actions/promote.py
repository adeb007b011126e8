"""Carrying what was proven in one environment to the next: images always, parameters and settings as asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.ask.changes import changes
from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.files import write_below
from envcompile.kubernetes.images import parse_image
from envcompile.kubernetes.podspecs import containers
from envcompile.sources.overlaid import OverlaidTree
from envcompile.units.project import Project
from envcompile.values import ABSENT, dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from envcompile.ask.changes import Change
    from envcompile.model import Pointer
    from envcompile.settings import Environment, Image

_IMAGE_FIELDS = (("newName", "new_name"), ("newTag", "new_tag"), ("digest", "digest"))


class Carried(NamedTuple):
    """One setting that moves: its name, the value before, and the value after."""

    setting: str
    old: Any
    new: Any
    was_set: bool = True
    """False where the target had no such setting, which is not the same as `null`."""


class Promotion(NamedTuple):
    """What a promotion changes: the file, its new text, the settings, and the compiled difference."""

    path: str
    text: str
    carried: tuple[Carried, ...]
    changes: tuple[Change, ...]


def promote(
    project: Project,
    source: str,
    target: str,
    *,
    app: str | None = None,
    params: Sequence[str] = (),
    replicas: bool = False,
) -> Promotion:
    """Work out a promotion; nothing is written.

    Images always move. A parameter moves when the target has none of this name, or when it is named in `params`
    (`*` stands for all): most parameters differ on purpose. Replicas move when asked. The target's environment.yaml
    is edited in place, comments and layout stay.

    Args:
        project: the repository.
        source: the environment to carry from.
        target: the environment to carry to.
        app: only images that this application's containers use.
        params: names of parameters to carry although the target sets them.
        replicas: carry `replicas`, too.

    Raises:
        UsageError: an unknown environment, application or parameter, or both environments are the same.
        EnvcError: one of the environments does not compile.
    """
    (left,) = project.choose([source])
    (right,) = project.choose([target])
    if left == right:
        raise UsageError([Problem(f"{left} cannot be promoted to itself", "name two environments")])
    start, before = project.compile_with_sources(left), project.compile_with_sources(right)
    have, want = before.composed.sources.settings, start.composed.sources.settings
    images = [image for image in want.images if app is None or image.name in _images_of(start.compiled, app, want)]
    path = f"overlays/{right}/environment.yaml"
    edit = _Edit(project.tree.read(path).decode(), path)
    for image in images:
        edit.image(image, have)
    if app is None:
        _carry_params(edit, want, have, params)
        if replicas:
            for name, count in want.replicas.items():
                edit.set(("replicas", name), have.replicas.get(name, ABSENT), count)
    after = Project(OverlaidTree(project.tree, {path: edit.text.encode()})).compile_with_sources(right)
    found = changes(before.compiled.resources, after.compiled.resources, after.composed.api)
    return Promotion(path, edit.text, tuple(edit.carried), tuple(found))


def write_promotion(project: Project, promotion: Promotion) -> Path:
    """Write the edited environment.yaml in one step; its path.

    Raises:
        UnavailableError: the file cannot be written.
    """
    write_below(project.root, promotion.path, promotion.text.encode())
    return project.root / promotion.path


class _Edit:
    """The text of an environment.yaml while settings are carried into it."""

    def __init__(self, text: str, path: str) -> None:
        from envcompile.yamlio import load_all

        self.text = text
        self.path = path
        documents = load_all(text.encode(), path)
        self.index = next(position for position, document in enumerate(documents) if document is not None)
        self.own: dict[str, Any] = documents[self.index]
        self.carried: list[Carried] = []

    def set(self, pointer: Pointer, old: Any, new: Any) -> None:
        """Write one setting, when it differs."""
        from envcompile.yamlio import edit

        if old == new and type(old) is type(new):
            return
        self.text = edit.set_value(self.text, self.index, pointer, new, file=self.path)
        name = dotted(pointer)
        self.carried.append(Carried(name, None if old is ABSENT else old, new, old is not ABSENT))

    def image(self, image: Image, have: Environment) -> None:
        """Carry one `images` entry into the target's own list."""
        from envcompile.yamlio import edit

        current = next((entry for entry in have.images if entry.name == image.name), None)
        if current == image:
            return
        entries = self.own.get("images") or []
        position = next((at for at, entry in enumerate(entries) if entry.get("name") == image.name), len(entries))
        wanted = {"name": image.name}
        wanted.update({key: getattr(image, field) for key, field in _IMAGE_FIELDS if getattr(image, field) is not None})
        if position == len(entries):
            self.text = edit.set_value(self.text, self.index, ("images", position), wanted, file=self.path)
        else:
            for key, _ in _IMAGE_FIELDS:
                pointer = ("images", position, key)
                if key in wanted and entries[position].get(key) != wanted[key]:
                    self.text = edit.set_value(self.text, self.index, pointer, wanted[key], file=self.path)
                elif key not in wanted and key in entries[position]:
                    self.text = edit.delete(self.text, self.index, pointer, file=self.path)
        self.own = {**self.own, "images": [*entries[:position], wanted, *entries[position + 1 :]]}
        self.carried.append(Carried(f"images[{image.name}]", _version(current), _version(image), current is not None))


def _version(image: Image | None) -> str | None:
    if image is None:
        return None
    name = image.new_name or image.name
    return name + (f":{image.new_tag}" if image.new_tag else "") + (f"@{image.digest}" if image.digest else "")


def _images_of(compiled: Any, app: str, settings: Environment) -> set[str]:
    """The names, as `images` writes them, of the images that an application's containers use."""
    apps = {resource.app for resource in compiled.resources}
    if app not in apps:
        advice = did_you_mean(app, apps, f"the applications are {', '.join(sorted(apps))}")
        raise UsageError([Problem(f"there is no application `{app}`", advice)])
    used = {
        parse_image(container["image"]).name
        for resource in compiled.resources
        if resource.app == app
        for container in containers(resource.id, resource.value)
        if isinstance(container.get("image"), str)
    }
    return {image.name for image in settings.images if (image.new_name or image.name) in used}


def _carry_params(edit: _Edit, want: Environment, have: Environment, named: Iterable[str]) -> None:
    wanted = set(named)
    unknown = wanted - {"*", *want.params}
    if unknown:
        name = min(unknown)
        raise UsageError([
            Problem(f"there is no parameter `{name}`", did_you_mean(name, want.params, "`params` of environment.yaml"))
        ])
    for name, value in want.params.items():
        if name not in have.params or name in wanted or "*" in wanted:
            edit.set(("params", name), have.params.get(name, ABSENT), value)
