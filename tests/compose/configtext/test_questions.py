"""The public functions: names, deriving an overlay, laws that hold for every format."""

from __future__ import annotations

import pytest

from envcompile.compose import configtext
from envcompile.compose.configtext import derive_text, format_of, keys, merge_text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("app.properties", "properties"),
        (".env", "env"),
        ("prod.env", "env"),
        ("APP.INI", "ini"),
        ("a.yml", "yaml"),
        ("a.yaml", "yaml"),
        ("a.json", "json"),
        ("a.toml", "toml"),
        ("a.conf", "conf"),
        ("env", None),
        ("log_level", None),
        ("a.txt", None),
        ("a.yaml.tmpl", None),
    ],
)
def test_format_of(name: str, expected: str | None) -> None:
    """The ending decides."""
    assert format_of(name) == expected


def test_name_without_a_format_is_a_bug_of_the_caller() -> None:
    """Callers ask `format_of` first."""
    with pytest.raises(ValueError, match="no format of configuration text is known for the name 'log_level'"):
        merge_text("log_level", "a", "b")


def test_exported_names() -> None:
    """The package's face."""
    assert configtext.__all__ == [
        "ConfigTextError",
        "KeySpan",
        "derive_text",
        "format_of",
        "how_merged",
        "keys",
        "merge_text",
        "replaced_lists",
        "value_of",
    ]


@pytest.mark.parametrize(
    ("name", "base", "target"),
    [
        ("a.properties", "# c\na=1\nb=2\n", "# c\na=3\nb=2\n\n# new\nc=4\n"),
        ("a.properties", "a=1\n# tail\n", "a=1\n# tail\nb=2\n"),
        ("a.properties", "a=1\nb=2\n", "b=2\n"),
        ("a.env", "A=1 # c\nexport B=2", "A=9 # c"),
        ("a.ini", "[a]\nx=1\ny=2\n\n[b]\nz=1\n", "[a]\ny=3\n\n[b]\nz=1\n; n\nw=2\n\n[c]\nq=1\n"),
        ("a.ini", "[a]\nx=1\n[b]\nz=1\n", "[a]\nx=1\n"),
        ("a.conf", "a = 1\n", "a = 2\nb = 3\n"),
        ("a.conf", "worker 4;\n", "worker 5;\n"),
        ("a.toml", "a = 1\n[t]\nb = 2\nc = 3\n", "a = 2\n[t]\nc = 3\nd = 4\n\n# u\n[u]\ne = 5\n"),
        ("a.yaml", "# c\na:\n  b: 1\n  c: 2\n# tail\n", "# c\na:\n  b: [1]\n# tail\n# new\nd: |\n  x\n"),
        ("a.json", '{\n  "a": {"b": 1, "c": 2}\n}\n', '{\n  "a": {"b": 1},\n  "d": [\n    1\n  ]\n}\n'),
    ],
)
def test_derived_overlay_leads_to_the_target(name: str, base: str, target: str) -> None:
    """An existing environment's file becomes an overlay that says only what differs."""
    overlay = derive_text(name, base, target)
    assert overlay is not None
    assert merge_text(name, base, overlay) == target


@pytest.mark.parametrize(
    ("name", "base", "target"),
    [
        ("a.properties", "# c\na=1\n", "a=1\n"),
        ("a.properties", "a=1\nb=2\n", "b=2\na=1\n"),
        ("a.properties", "a=1\n", "a = 1\n"),
        ("a.properties", "a=1\n", "a=\\u12\n"),
        ("a.yaml", "a: {b: 1}\n", "a: 1\n"),
        ("a.json", '{"a": 1}', '{"a": null}'),
    ],
)
def test_no_overlay_changes_comments_order_or_spelling(name: str, base: str, target: str) -> None:
    """What a merge keeps, no overlay can take away."""
    assert derive_text(name, base, target) is None


def test_nothing_to_derive() -> None:
    """Equal texts need no overlay."""
    assert derive_text("a.yaml", "a: 1\n", "a: 1\n") == ""


def test_broken_text_without_an_overlay_is_still_reported() -> None:
    """A base that does not parse is an error however little the overlay says."""
    for name, text in [("a.properties", "=x\n"), ("a.json", "{"), ("a.toml", "="), ("a.yaml", "["), ("a.ini", "[")]:
        with pytest.raises(configtext.ConfigTextError):
            merge_text(name, text, "")
        with pytest.raises(configtext.ConfigTextError):
            keys(name, text)
