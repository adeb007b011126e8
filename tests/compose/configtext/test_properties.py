"""Merging `.properties`: what Java reads is what counts, what people wrote stays."""

from __future__ import annotations

import pytest

from envcompile.compose.configtext import ConfigTextError, KeySpan, keys, merge_text

NAME = "app.properties"


@pytest.mark.parametrize(
    ("base", "overlay", "result"),
    [
        pytest.param("a=1\nb=2\n", "b=3\n", "a=1\nb=3\n", id="override"),
        pytest.param("a = 1\nb: 2\nc 3\n", "c=9\nb=9\na=9\n", "a = 9\nb: 9\nc 9\n", id="the base's separators stay"),
        pytest.param("a=1\n", "b=2\nc=3\n", "a=1\nb=2\nc=3\n", id="new keys follow in order"),
        pytest.param("a=1\n", "# why\nb=2\n", "a=1\n# why\nb=2\n", id="comment of a new key comes along"),
        pytest.param("a=1\n", "# head\n\na=2\n\n# why\nb=2\n", "a=2\n\n# why\nb=2\n", id="other comments do not"),
        pytest.param("a=1\n\n", "\nb=2\n", "a=1\n\nb=2\n\n", id="trailing blank lines stay behind"),
        pytest.param("a=1\n# tail\n", "b=2\n", "a=1\n# tail\nb=2\n", id="behind a closing comment"),
        pytest.param("# only\n", "a=1\n", "# only\na=1\n", id="base of comments"),
        pytest.param("", "# c\na=1\n", "# c\na=1\n", id="empty base"),
        pytest.param("", "a=1", "a=1", id="empty base, no final line break"),
        pytest.param("a=1", "b=2\n", "a=1\nb=2", id="no final line break"),
        pytest.param("a=1\nb=2", "# envc:remove\nb=\nc=3", "a=1\nc=3", id="last line removed, another added"),
        pytest.param("a=1\r\nb=2\r\n", "b=3\n# n\nc=4\n", "a=1\r\nb=3\r\n# n\r\nc=4\r\n", id="CRLF of the base"),
        pytest.param("a=1\nb=2\n", "a=2\r\nc=3\r\n", "a=2\nb=2\nc=3\n", id="LF of the base"),
        pytest.param("url=jdbc:x?a=b&c=d\n", "url=jdbc:y?e=f=g\n", "url=jdbc:y?e=f=g\n", id="separators in values"),
        pytest.param("a=x,\\\n  y\nb=1\n", "a=z\n", "a=z\nb=1\n", id="continued base value"),
        pytest.param("a=1\nb=1\n", "a=x,\\\n    y\n", "a=x,\\\n    y\nb=1\n", id="continued overlay value"),
        pytest.param(
            "a=1,\\\n# no comment\nb=1\n", "b=2\n", "a=1,\\\n# no comment\nb=2\n", id="continuation, no comment"
        ),
        pytest.param("a=1\\\\\nb=1\n", "b=2\n", "a=1\\\\\nb=2\n", id="escaped backslash continues nothing"),
        pytest.param("a=1\\\n\nb=1\n", "a=2\n", "a=2\nb=1\n", id="continued into a blank line"),
        pytest.param("\\u4e2d=1\n", "中=2\n", "\\u4e2d=2\n", id="unicode escape names the same key"),
        pytest.param("a\\ b=1\na\\:c=1\n", "a\\ b=2\na\\:c=2\n", "a\\ b=2\na\\:c=2\n", id="escaped separators in keys"),
        pytest.param("a=\\u0041\n", "a=A\n", "a=\\u0041\n", id="the same value spelt otherwise changes nothing"),
        pytest.param("a=1\n", "a=\n", "a=\n", id="empty value is a value"),
        pytest.param("a=1\n", "a\n", "a=\n", id="key alone is an empty value"),
        pytest.param("a\nb=1\n", "a=2\n", "a=2\nb=1\n", id="base key alone"),
        pytest.param("a 1\n", "a = =x\n", "a = =x\n", id="value that would read as a separator"),
        pytest.param("a=1\nb=2\n", "# envc:remove\na=\n", "b=2\n", id="mark above removes"),
        pytest.param("a=1\nb=2\n", "! envc:remove\na\n", "b=2\n", id="mark above a key alone"),
        pytest.param("a=1\nb=2\n", "# envc:remove: not here\na=\n", "b=2\n", id="mark with a reason"),
        pytest.param("a=1\nb=2\n", "# envc:remove\n# not here\na=\n", "b=2\n", id="mark in a comment of two lines"),
        pytest.param("a=1\nb=2\n", "a= # envc:remove\n", "b=2\n", id="mark on the empty value"),
        pytest.param("# of a\na=1\nb=2\n", "# envc:remove\na=\n", "# of a\nb=2\n", id="the base's comment stays"),
        pytest.param("b=2\n", "# envc:remove\na=\n", "b=2\n", id="removing what is not there"),
        pytest.param("a=1\nb=0\na=2\n", "a=3\n", "a=3\nb=0\na=3\n", id="every repeat of the base is overridden"),
        pytest.param("a=1\nb=0\na=2\n", "a=2\n", "a=1\nb=0\na=2\n", id="the last repeat is the value"),
        pytest.param("a=1\nb=0\na=2\n", "# envc:remove\na=\n", "b=0\n", id="every repeat is removed"),
        pytest.param("a=0\n", "b=1\nb=1\n", "a=0\nb=1\n", id="a repeat in the overlay counts once"),
        pytest.param(
            "a=1\x0bx\u2028\x85\nb=1\n", "b=2\n", "a=1\x0bx\u2028\x85\nb=2\n", id="only real line breaks break"
        ),
        pytest.param("  a=1\n\t# c\n", "a=2\n", "  a=2\n\t# c\n", id="indented lines"),
    ],
)
def test_merge(base: str, overlay: str, result: str) -> None:
    """Each line of the base stays as it is but for the values that the overlay sets."""
    assert merge_text(NAME, base, overlay) == result


@pytest.mark.parametrize(
    ("base", "overlay", "error"),
    [
        pytest.param(
            "a=1\n=2\n",
            "",
            ("base", 2, 1, "a line begins with its separator: the key is missing", "write `key=value`"),
            id="missing key",
        ),
        pytest.param(
            "a=1\n",
            "x=\\u12\n",
            (
                "overlay",
                1,
                3,
                "a `\\u` escape needs four hexadecimal digits",
                "write `\\u4e2d`, or `\\\\u` for a backslash",
            ),
            id="broken escape",
        ),
        pytest.param(
            "a=1\nb=2\\\n",
            "a=2\n",
            ("base", 2, 1, "`b` is continued, but the text ends", "drop the backslash at the end of the last line"),
            id="continued past the end",
        ),
        pytest.param(
            "a=1\n",
            "a=2\n\na=3\n",
            ("overlay", 3, 1, "`a` is set twice, to different values: here and on line 1", "keep one of the two lines"),
            id="contradiction",
        ),
        pytest.param(
            "a=1\n",
            "# envc:remove\n\na=2\n",
            ("overlay", 1, 1, "`# envc:remove` stands above no key", "put it on the line directly above an empty key"),
            id="mark above a blank line",
        ),
        pytest.param(
            "a=1\n",
            "a=2\n# envc:remove\n",
            ("overlay", 2, 1, "`# envc:remove` stands above no key", "put it on the line directly above an empty key"),
            id="mark at the end",
        ),
        pytest.param(
            "a=1\n",
            "# envc:remove\na=2\n",
            (
                "overlay",
                2,
                1,
                "`a` is marked `# envc:remove` but has a value",
                "leave the value empty to remove the key, or drop the mark",
            ),
            id="mark above a value",
        ),
        pytest.param(
            "a=1\n",
            "a=2 # envc:remove\n",
            (
                "overlay",
                1,
                1,
                "`a` is marked `# envc:remove` but has a value",
                "leave the value empty to remove the key, or drop the mark",
            ),
            id="mark behind a value",
        ),
        pytest.param(
            "# envc:remove\na=\n",
            "b=2\n",
            (
                "base",
                1,
                3,
                "`# envc:remove` stands in the base, which has nothing below it to remove",
                "delete the mark with its key, or move both to an overlay",
            ),
            id="mark in the base",
        ),
    ],
)
def test_mistake_is_an_error_with_its_line(base: str, overlay: str, error: tuple[object, ...]) -> None:
    """Text that cannot be merged is never passed over."""
    with pytest.raises(ConfigTextError) as caught:
        merge_text(NAME, base, overlay)
    found = caught.value
    assert (found.side, found.line, found.column, found.what, found.fix) == error


def test_keys_name_the_lines() -> None:
    """Every key comes with its value as Java reads it and the lines it takes."""
    text = "# c\na.b = 1\nlong=x,\\\n   y\nalone\n\\u00fc=\\t.\\ud83d\\ude00\n"
    assert keys(NAME, text) == {
        "a.b": KeySpan("1", 2, 2),
        "long": KeySpan("x,y", 3, 4),
        "alone": KeySpan("", 5, 5),
        "ü": KeySpan("\t.\U0001f600", 6, 6),
    }


def test_production_states_only_what_changes() -> None:
    """The specification's production file comes out of its base and the keys that differ."""
    base = """\
server.port=8080
spring.profiles.active=production
logging.level.root=INFO
spring.datasource.hikari.maximum-pool-size=20
spring.datasource.hikari.minimum-idle=5
spring.cache.type=redis
spring.cache.redis.time-to-live=3600000
"""
    overlay = """\
# 生产环境特定配置
spring.datasource.url=${DATABASE_URL}
spring.datasource.hikari.maximum-pool-size=50
spring.datasource.hikari.minimum-idle=10
spring.cache.redis.host=redis.production.svc.cluster.local
spring.cache.redis.port=6379
spring.cache.redis.time-to-live=7200000

# 监控配置
management.endpoints.web.exposure.include=health,info,metrics,prometheus
management.metrics.export.prometheus.enabled=true
"""
    assert (
        merge_text(NAME, base, overlay)
        == """\
server.port=8080
spring.profiles.active=production
logging.level.root=INFO
spring.datasource.hikari.maximum-pool-size=50
spring.datasource.hikari.minimum-idle=10
spring.cache.type=redis
spring.cache.redis.time-to-live=7200000
# 生产环境特定配置
spring.datasource.url=${DATABASE_URL}
spring.cache.redis.host=redis.production.svc.cluster.local
spring.cache.redis.port=6379

# 监控配置
management.endpoints.web.exposure.include=health,info,metrics,prometheus
management.metrics.export.prometheus.enabled=true
"""
    )


def test_production_that_repeats_its_base() -> None:
    """The specification's own production file, which repeats the base by hand, merges to the same keys and values."""
    base = "server.port=8080\nlogging.level.root=INFO\npool=20\nspring.cache.type=redis\n"
    production = "# 继承基础配置\nserver.port=8080\nlogging.level.root=INFO\n\n# 生产环境特定配置\npool=50\n"
    merged = merge_text(NAME, base, production)
    assert merged == "server.port=8080\nlogging.level.root=INFO\npool=50\nspring.cache.type=redis\n"


def test_five_megabytes() -> None:
    """A text of any size merges; its unchanged lines are the base's."""
    line = "some.key.number.{}=" + "x" * 80 + "\n"
    base = "".join(map(line.format, range(50_000)))
    merged = merge_text(NAME, base, "some.key.number.49999=y\nnew=1\n")
    assert len(base) > 5_000_000
    assert merged == base[: base.rindex("=") + 1] + "y\nnew=1\n"


def test_many_comment_lines() -> None:
    """Comments cost no more than keys do."""
    base = "# a comment of a few words\n" * 100_000 + "a=\\u0031\n" + "# another\n" * 100_000
    assert merge_text(NAME, base, "a=2\n") == base.replace("a=\\u0031", "a=2")
