"""Lines of configuration texts become values that people understand."""

from __future__ import annotations

from envcompile.chart.configtext import pieces


def told(name: str, *texts: str) -> dict[str, list[object]] | None:
    """Key -> value of each environment, None where a line is not there."""
    found = pieces(name, dict(enumerate(texts)))
    if found is None:
        return None
    return {
        piece.key: [value if isinstance(value, str | bool) else None for value in piece.values.values()]
        for piece in found
        if piece.values is not None
    }


SAME = "one\ntwo\nthree\nfour\n"


def test_what_stands_behind_the_first_word_is_the_value() -> None:
    """Case chart-lines-as-switches: nginx, redis, fluent-bit, a shell; a third environment is written in values."""
    assert told(
        "x.conf",
        f"{SAME}server_name dev.example.com;\nproxy_pass http://api.dev:80;\n",
        f"{SAME}server_name prod.example.com;\nproxy_pass http://api.prod:80;\n",
    ) == {
        "serverName": ["dev.example.com", "prod.example.com"],
        "proxyPass": ["http://api.dev:80", "http://api.prod:80"],
    }
    assert told("redis.conf", f"{SAME}maxmemory 1gb\n", f"{SAME}maxmemory 2gb\n", f"{SAME}maxmemory 3gb\n") == {
        "maxmemory": ["1gb", "2gb", "3gb"]
    }
    assert told("fluent-bit.conf", f"{SAME}    Host  es.dev.svc\n", f"{SAME}    Host  es.prod.svc\n") == {
        "host": ["es.dev.svc", "es.prod.svc"]
    }
    assert told(
        "run.sh", f"{SAME}exec java -Xmx1g \\\n  -jar a.jar\n", f"{SAME}exec java -Xmx2g \\\n  -jar a.jar\n"
    ) == {"exec": ["java -Xmx1g", "java -Xmx2g"]}


def test_a_line_that_is_there_or_not_is_a_switch() -> None:
    """It says the same wherever it is."""
    assert told("x.conf", SAME, f"{SAME}appendonly yes\n") == {"appendonlyYes": [False, True]}
    assert told("x.conf", SAME, f"{SAME}appendonly yes\n", f"{SAME}appendonly no\n") == {
        "appendonly": [None, "yes", "no"]
    }


def test_lines_with_nothing_in_common_are_values_as_a_whole() -> None:
    """In their order, when there are as many of each environment."""
    assert told("x.txt", f"{SAME}true\n# for dev\n", f"{SAME}false\n# for prod\n") == {
        "line": ["true", "false"],
        "comment": ["# for dev", "# for prod"],
    }


def test_a_text_of_which_most_differs_is_one_value() -> None:
    """It is easier to read as a whole."""
    assert told("x.conf", "one\na b\nc d\n", "one\na c\nc e\n") is None
