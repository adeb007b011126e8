"""Checks of SealedSecret objects that people wrote or made with kubeseal: all that can be known without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import Problems, did_you_mean
from envcompile.secrets.ciphertext import SCOPE_ANNOTATION, BrokenCiphertextError, take_apart
from envcompile.secrets.gotemplates import template_use

if TYPE_CHECKING:
    from envcompile.secrets.declared import Where


def check_sealed_secret(value: dict[str, Any], *, environment: str, where: Where) -> None:
    """Check one SealedSecret.

    Raises:
        EnvcError: for values that are no ciphertexts, templates that read unknown keys or call forbidden functions,
            and scope annotations that contradict each other.
    """
    problems = Problems()
    metadata = value.get("metadata") or {}
    title = f"environment {environment}: SealedSecret/{metadata.get('name', '')}"
    annotations = metadata.get("annotations") or {}
    wide = [name for name in ("cluster-wide", "namespace-wide") if SCOPE_ANNOTATION + name in annotations]
    for name in wide:
        if annotations[SCOPE_ANNOTATION + name] != "true":
            problems.add(
                f'{title}: `{SCOPE_ANNOTATION}{name}` is not exactly "true", so the controller ignores it',
                'write "true" in quotes, or drop the annotation',
                where(("metadata", "annotations", SCOPE_ANNOTATION + name)),
            )
    if len(wide) > 1:
        problems.add(
            f"{title} has two scopes",
            "keep one annotation; cluster-wide would win silently",
            where(("metadata", "annotations")),
        )
    spec = value.get("spec") or {}
    encrypted = spec.get("encryptedData")
    if not isinstance(encrypted, dict):
        problems.add(
            f"{title} has no `encryptedData`",
            "seal it again: the old form `spec.data` is not supported",
            where(("spec",)),
        )
        encrypted = {}
    for key, sealed in encrypted.items():
        try:
            take_apart(sealed)
        except BrokenCiphertextError as error:
            problems.add(
                f"{title}: the sealed value of `{key}` {error}",
                "seal it again; better still, declare a `kind: Secret` with a reference and run `envc secrets seal`",
                where(("spec", "encryptedData", key)),
            )
    _check_templates(title, spec, encrypted, where, problems)
    problems.raise_any()


def _check_templates(
    title: str, spec: dict[str, Any], encrypted: dict[str, Any], where: Where, problems: Problems
) -> None:
    template = spec.get("template")
    texts = template.get("data") if isinstance(template, dict) else None
    if not isinstance(texts, dict):
        return
    known = {*encrypted, *texts}
    for key, text in texts.items():
        if not isinstance(text, str):
            continue
        place = where(("spec", "template", "data", key))
        use = template_use(text)
        for name in sorted(use.keys - known):
            problems.add(
                f"{title}: the template `{key}` reads `{name}`, which is not sealed: it would render as `<no value>`",
                did_you_mean(name, known, f"known: {', '.join(sorted(known))}"),
                place,
            )
        for name in sorted(use.forbidden):
            problems.add(
                f"{title}: the template `{key}` calls `{name}`, which the controller does not have",
                "leave it out",
                place,
            )
        if not use.balanced:
            problems.add(
                f"{title}: the template `{key}` has an action that is not closed",
                "close every `{{` and every block",
                place,
            )
