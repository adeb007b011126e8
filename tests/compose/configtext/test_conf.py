"""A `.conf` is merged as what it is made of, and says so when it cannot be."""

from __future__ import annotations

import pytest

from envcompile.compose.configtext import derive_text, how_merged, keys, merge_text

REDIS = """\
# memory
maxmemory 1gb

protected-mode yes
save 900 1
save 300 10
rename-command FLUSHALL ""
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit pubsub 32mb 8mb 60
"""


@pytest.mark.parametrize(
    ("overlay", "before", "after"),
    [
        ("maxmemory 2gb\n", "maxmemory 1gb", "maxmemory 2gb"),
        ("MAXMEMORY   2gb", "maxmemory 1gb", "maxmemory 2gb"),
        ("save 60 1\n", "save 900 1\nsave 300 10\n", "save 60 1\n"),
        ('rename-command CONFIG ""\n', "60\n", '60\nrename-command CONFIG ""\n'),
        ("client-output-buffer-limit pubsub 1mb 1mb 1\n", "32mb 8mb 60", "1mb 1mb 1"),
        ("# envc:remove\nprotected-mode\n", "protected-mode yes\n", ""),
        ("appendonly yes\n", "60\n", "60\nappendonly yes\n"),
    ],
)
def test_directives_of_redis_merge_one_by_one(overlay: str, before: str, after: str) -> None:
    """Case conf-text-replaced-silently: what the overlay does not name stays, with comments and order."""
    assert merge_text("redis.conf", REDIS, overlay) == REDIS.replace(before, after)


def test_keys_of_redis_are_named_with_what_tells_them_apart() -> None:
    """Two limits are two keys."""
    found = {key: span.value for key, span in keys("redis.conf", REDIS).items()}
    assert found["maxmemory"] == "1gb"
    assert found["client-output-buffer-limit pubsub"] == "32mb 8mb 60"
    assert found["rename-command FLUSHALL"] == '""'


@pytest.mark.parametrize("target", [REDIS.replace("1gb", "2gb"), REDIS.replace("protected-mode yes\n", "")])
def test_the_way_back_of_redis(target: str) -> None:
    """An overlay is found that merges to exactly the target."""
    derived = derive_text("redis.conf", REDIS, target)
    assert derived is not None
    assert len(derived) < 50
    assert merge_text("redis.conf", REDIS, derived) == target


def test_telegraf_is_toml() -> None:
    """Case conf-text-replaced-silently, variation telegraf.conf."""
    base = '[agent]\n  interval = "10s" # often\n\n[[inputs.cpu]]\n  percpu = true\n'
    assert merge_text("telegraf.conf", base, '[agent]\ninterval = "30s"\n') == base.replace("10s", "30s")


@pytest.mark.parametrize(
    ("name", "base", "overlay", "how"),
    [
        ("redis.conf", REDIS, "maxmemory 2gb", "merged key by key as Redis text"),
        ("telegraf.conf", "[[inputs.cpu]]\na = 1\n", "[agent]\na = 1\n", "merged key by key as TOML text"),
        ("pg.conf", "port = 1\n", "port = 2\n", "merged key by key as conf text"),
        ("a.properties", "a=1", "a=2", "merged key by key as properties text"),
        ("redis.conf", REDIS, "server {\n", "replaced whole: it is neither"),
        ("nginx.conf", "server {\n listen 80;\n}\n", "server {}\n", "replaced whole: it is neither"),
        ("squid.conf", "http_access deny all\n", "http_access allow all\n", "replaced whole: it is neither"),
        ("start.sh", "a\n", "b\n", "replaced whole: only .conf, .env, .ini, .json"),
    ],
)
def test_how_two_texts_come_together(name: str, base: str, overlay: str, how: str) -> None:
    """`explain` and the warning of a build say it in these words."""
    assert how_merged(name, base, overlay).startswith(how)
