"""Which inputs of a unit changed, by the names that people know: files, imports, settings, definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.sources.scans import combined_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.units.plan import EnvironmentPlan

MadeOf = dict[str, dict[str, str]]
"""A digest -> what it is made of: name -> digest."""

SETTINGS: Final = "settings"
API: Final = "Kubernetes version, CRDs and merge keys"
ENVC: Final = "envc itself or a library"
_READ_BY: Final = " < "
"""Stands between a file that was read and the one that reads it."""


def made_of(plan: EnvironmentPlan) -> MadeOf:
    """What the digests of an environment's settings and definitions are made of."""
    import msgspec

    settings = msgspec.to_builtins(plan.sources.settings)
    facts = plan.facts
    return {
        plan.given[SETTINGS]: {
            "configMerge": str(plan.merge_texts),
            **{f"setting {name}": _digest(value) for name, value in settings.items()},
        },
        plan.given[API]: {
            "Kubernetes version": facts.version,
            "mergeKeys": _digest(facts.merge_keys),
            **{f"definition of {_name(crd)}": _digest(crd) for crd in facts.crds},
        },
    }


def _digest(value: object) -> str:
    import msgspec

    return combined_digest([msgspec.json.encode(value, order="sorted").decode()])


def _name(crd: object) -> str:
    metadata = crd.get("metadata") if isinstance(crd, dict) else None
    return str(metadata.get("name", "a custom kind")) if isinstance(metadata, dict) else "a custom kind"


def parts_of(path: str, reads: Mapping[str, str]) -> dict[str, str]:
    """The inputs that stand behind one file, by names that say who reads them.

    Args:
        path: the file.
        reads: what it is computed from, itself included: path -> digest.
    """
    return {f"{used}{_READ_BY}{path}": digest for used, digest in reads.items()}


def changed_names(
    before: Mapping[str, str], now: Mapping[str, str], known: Mapping[str, Mapping[str, str]], made: MadeOf
) -> tuple[str, ...]:
    """The names of the inputs that differ.

    Args:
        before: what a unit was compiled from: name -> digest.
        now: what it is compiled from.
        known: what digests of before are made of, as far as that is remembered.
        made: what those of now are made of.
    """
    changed = {name for name in {*before, *now} if _READ_BY not in name and before.get(name) != now.get(name)}
    is_by_parameters = SETTINGS in changed
    found: set[str] = set()
    for name in changed:
        old, new = before.get(name, ""), now.get(name, "")
        if name in {SETTINGS, API}:
            found |= _apart(known.get(old, {}), made.get(new, {})) or {name}
            continue
        behind, behind_now = (_behind(inputs, name) for inputs in (before, now))
        if old and new and behind and behind_now:
            apart = _apart(behind, behind_now)
            # The same bytes all along: what it is computed with is other than before, and that is told by its own name.
            found |= apart or (set() if is_by_parameters else {name})
        else:
            found.add(name)
    return tuple(sorted(found))


def _behind(inputs: Mapping[str, str], path: str) -> dict[str, str]:
    end = f"{_READ_BY}{path}"
    return {name.removesuffix(end): digest for name, digest in inputs.items() if name.endswith(end)}


def _apart(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    if not before or not now:
        return set()
    return {name for name in {*before, *now} if before.get(name) != now.get(name)}
