"""Taking settings of an environment.yaml back: to what a commit says, or to what the wanted resources show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.compose.inverse_patch import leaves_between
from envcompile.compose.rollout import CHECKSUM_ANNOTATION, RELOADER_ANNOTATION
from envcompile.compose.settings import Exclusions
from envcompile.compose.waves import WAVE_ANNOTATION
from envcompile.errors import EnvcError
from envcompile.kubernetes.images import parse_image
from envcompile.sources.project import ENVIRONMENT_FILE
from envcompile.values import ABSENT, same, value_at
from envcompile.yamlio import edit, load_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.model import Pointer, ResourceId, Step
    from envcompile.revert.draft_tree import Draft, Gap, Value

_SAYS_NOTHING = frozenset({"apiVersion", "kind", "abstract", "owners", "cluster", "checks"})
"""Keys that have no say in what an environment compiles to."""
_BY_NAME = ("labels", "selectorLabels", "annotations", "podLabels", "podAnnotations")
_MODES = {RELOADER_ANNOTATION: "rollout", CHECKSUM_ANNOTATION: "rollout", WAVE_ANNOTATION: "syncWaves"}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "rollout": ("none", "reloader", "checksum", "suffix"),
    "syncWaves": (True, False),
}


class Setting(NamedTuple):
    """One setting to be written: a key, or an entry below it; ABSENT takes it out.

    An entry of `images` is told by the name of the image.
    """

    key: str
    entry: str
    value: Any


def settings_of(text: str, file: str) -> Value:
    """What an environment.yaml itself says.

    Raises:
        EnvcError: it is no YAML.
    """
    return next((value for value in load_all(text.encode(), file) if type(value) is dict), {})


def differences(now: Value, then: Value) -> list[Setting]:
    """The settings that lead from what an environment.yaml says to what it once said."""
    found: list[Setting] = []
    for key in dict.fromkeys([*now, *then]):
        old, new = now.get(key, ABSENT), then.get(key, ABSENT)
        if key in _SAYS_NOTHING or same(old, new):
            continue
        if key == "images":
            before, after = _images(old), _images(new)
        elif all(value is ABSENT or type(value) is dict for value in (old, new)):
            before, after = (value if type(value) is dict else {} for value in (old, new))
        else:
            found.append(Setting(key, "", new))
            continue
        found += [
            Setting(key, name, after.get(name, ABSENT))
            for name in dict.fromkeys([*before, *after])
            if not same(before.get(name, ABSENT), after.get(name, ABSENT))
        ]
    return found


def written(text: str, settings: Iterable[Setting], file: str) -> str:
    """The text of an environment.yaml with settings written into it; comments and layout stay.

    Raises:
        EnvcError: it is written in a way that cannot be edited.
    """
    for setting in settings:
        documents = load_all(text.encode(), file)
        index = next((position for position, value in enumerate(documents) if type(value) is dict), 0)
        own = documents[index] if documents else {}
        pointer: Pointer = (setting.key,)
        below = own.get(setting.key, ABSENT)
        if setting.key == "images" and setting.entry:
            names = [image.get("name") for image in below] if type(below) is list else []
            pointer = ("images", names.index(setting.entry) if setting.entry in names else len(names))
        elif setting.entry:
            pointer = (setting.key, setting.entry)
        if setting.value is not ABSENT:
            text = edit.set_value(text, index, pointer, setting.value, file=file)
        elif setting.entry and value_at(own, pointer) is not ABSENT and len(below) == 1:
            text = edit.delete(text, index, pointer[:1], file=file)
        else:
            text = edit.delete(text, index, pointer, file=file)
    return text


def take_back(draft: Draft, then: Value) -> None:
    """Take those settings back to what a commit said that lead nearer to what is wanted, and no others."""
    path = f"{draft.folder}/{ENVIRONMENT_FILE}"
    text = draft.text(path)
    if text is None or not then or not draft.state.gaps:
        return
    chosen = differences(settings_of(text, path), then)
    if not chosen:
        return
    start = draft.snapshot()
    if not _attempt(draft, path, text, chosen):
        for setting in chosen:
            _attempt(draft, path, draft.text(path) or text, [setting])
        return
    for setting in list(chosen):
        fewer = [other for other in chosen if other is not setting]
        reached = draft.snapshot()
        draft.go_back(start)
        if fewer and _attempt(draft, path, text, fewer) and draft.state.size <= reached[1].size:
            chosen = fewer
        else:
            draft.go_back(reached)


def follow_resources(draft: Draft) -> None:
    """Give settings the values that the wanted resources show, where a setting is what makes the difference."""
    path = f"{draft.folder}/{ENVIRONMENT_FILE}"
    for setting in (*_shown(draft), *_switches(draft)):
        text = draft.text(path)
        if text is not None and draft.state.gaps:
            _attempt(draft, path, text, [setting])


def drop(draft: Draft) -> bool:
    """Take out the settings that stand in the way, for patches to say instead what they said."""
    path = f"{draft.folder}/{ENVIRONMENT_FILE}"
    text = draft.text(path)
    if text is None:
        return False
    own = settings_of(text, path)
    out = []
    for _, step, _ in _in_the_way(draft):
        key = str(step.within[0])
        if key == "images":
            name = draft.state.built.composed.sources.settings.images[int(step.within[1])].name
            here = name in _images(own.get("images", ABSENT))
        elif key == "replicas":
            name = str(step.within[1])
            here = name in own.get("replicas", {})
        else:
            name, here = "", key in own and key not in {"namespace", "forceNamespace"}
        if here and Setting(key, name, ABSENT) not in out:
            out.append(Setting(key, name, ABSENT))
    try:
        return bool(out) and draft.adopt({path: written(text, out, path).encode()})
    except EnvcError:
        return False


def exclude(draft: Draft, identities: Iterable[ResourceId]) -> None:
    """Leave resources out of the environment."""
    from envcompile.compose.differences import glob_of

    path = f"{draft.folder}/{ENVIRONMENT_FILE}"
    for identity in identities:
        text = draft.text(path)
        if text is None:
            return
        entries = settings_of(text, path).get("exclude") or []
        entry = {"kind": identity.kind, "name": glob_of(identity.name)}
        others = {*draft.wanted, *(resource.id for resource in draft.state.built.compiled.resources)} - {identity}
        if any(other.kind == identity.kind and other.name == identity.name for other in others):
            entry |= {"namespace": glob_of(identity.namespace), "group": glob_of(identity.group)}
        _attempt(draft, path, text, [Setting("exclude", "", [*entries, entry])])


def include(draft: Draft, identities: Iterable[ResourceId]) -> None:
    """Take out the entries of `exclude` that leave wanted resources out."""
    path = f"{draft.folder}/{ENVIRONMENT_FILE}"
    text = draft.text(path)
    entries = (settings_of(text, path).get("exclude") or []) if text is not None else []
    effective = draft.state.built.composed.sources.settings.exclude
    gone = [
        {key: getattr(exclusion, key) for key in ("kind", "name", "namespace", "group")}
        for exclusion in effective
        if any(Exclusions((exclusion,)).covers(identity) for identity in identities)
    ]
    left = [
        entry
        for entry in entries
        if {**dict.fromkeys(("kind", "name", "namespace", "group"), "*"), **entry} not in gone
    ]
    if text is not None and len(left) < len(entries):
        _attempt(draft, path, text, [Setting("exclude", "", left or ABSENT)])


def _attempt(draft: Draft, path: str, text: str, settings: Iterable[Setting]) -> bool:
    try:
        return draft.attempt({path: written(text, settings, path).encode()})
    except EnvcError:
        return False


def _images(value: Any) -> dict[str, Value]:
    items = value if type(value) is list else []
    return {item["name"]: item for item in items if type(item) is dict and type(item.get("name")) is str}


def _in_the_way(draft: Draft) -> Iterator[tuple[Gap, Step, list[Pointer]]]:
    """The settings that changed fields which are not what is wanted."""
    for gap in draft.state.gaps:
        if gap.have is None or gap.want is None:
            continue
        for step in gap.have.steps:
            if step.role == "setting" and step.before is not None:
                changed = [*leaves_between(step.before, step.after)]
                hit = [way for way in changed if any(_overlap(way, field) for field in gap.fields)]
                if hit:
                    yield gap, step, hit


def _overlap(one: Pointer, other: Pointer) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _shown(draft: Draft) -> list[Setting]:
    """What settings must be for the wanted resources, as far as these agree; else they have to go."""
    wishes: dict[tuple[str, str], list[Any]] = {}
    images = draft.state.built.composed.sources.settings.images
    for gap, step, ways in _in_the_way(draft):
        key = str(step.within[0])
        for way in ways:
            want = _wanted_at(gap, way)
            if key == "images":
                name = images[int(step.within[1])].name
                wishes.setdefault((key, name), []).append(_image(name, want))
            elif key == "replicas":
                wishes.setdefault((key, str(step.within[1])), []).append(want)
            elif key in _BY_NAME and value_at(step.before, way) is ABSENT and type(value_at(step.after, way)) is dict:
                for name in value_at(step.after, way):
                    wishes.setdefault((key, name), []).append(value_at(want, (name,)))
            elif key in _BY_NAME and way:
                wishes.setdefault((key, str(way[-1])), []).append(want)
    return [
        Setting(key, name, values[0] if all(same(value, values[0]) for value in values) else ABSENT)
        for (key, name), values in wishes.items()
    ]


def _wanted_at(gap: Gap, way: Pointer) -> Any:
    """What is wanted at a place; containers are found by their names, as others may have come or gone."""
    have: Any = gap.have.value if gap.have is not None else ABSENT
    want: Any = gap.want
    for part in way:
        if type(have) is list and type(want) is list and type(part) is int and part < len(have):
            name = have[part].get("name") if type(have[part]) is dict else None
            by_name = [at for at, item in enumerate(want) if type(item) is dict and item.get("name") == name]
            want = value_at(want, (by_name[0] if name is not None and by_name else part,))
        else:
            want = value_at(want, (part,))
        have = value_at(have, (part,))
    return want


def _image(name: str, want: Any) -> Any:
    """The entry of `images` that makes an image what is wanted; ABSENT when none does."""
    if type(want) is not str:
        return ABSENT
    reference = parse_image(want)
    entry = {"name": name}
    if reference.name != name:
        entry["newName"] = reference.name
    if reference.tag:
        entry["newTag"] = reference.tag
    if reference.digest:
        entry["digest"] = reference.digest
    return entry if len(entry) > 1 else ABSENT


def _switches(draft: Draft) -> list[Setting]:
    """The values to try of settings that derive annotations, when one of these is not what is wanted."""
    names = {str(part) for gap in draft.state.gaps for field in gap.fields for part in field}
    whole = {
        name
        for gap in draft.state.gaps
        for field in gap.fields
        if field and field[-1] == "annotations" and gap.have is not None
        for side in (value_at(gap.have.value, field), value_at(gap.want, field))
        if type(side) is dict
        for name in side
    }
    keys = dict.fromkeys(key for name, key in _MODES.items() if name in names | whole)
    return [Setting(key, "", value) for key in keys for value in _CHOICES[key]]
