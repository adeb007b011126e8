"""What a patch takes away silently is said: by a warning of the build, and by `explain`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files

if TYPE_CHECKING:
    from pathlib import Path


def config(name: str, text: str, head: str = "") -> str:
    """A ConfigMap with one text."""
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cache\n{head}data:\n  {name}: |\n{lines}"


def custom(kind: str, items: str, field: str = "parts") -> str:
    """An object of a kind nobody has defined."""
    return f"apiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: shop}}\nspec:\n  {field}:\n{items}"


def project(root: Path, base: str, overlay: str, **more: str) -> Path:
    """A project of one environment."""
    return write_files(
        root,
        {
            "base/a/a.yaml": base,
            "overlays/dev/a.yaml": overlay,
            "overlays/dev/environment.yaml": environment("namespace: dev\n"),
            **more,
        },
    )


NGINX = "events {}\nhttp {\n  gzip on;\n  server {\n    listen 80;\n  }\n}\n"
HTTPD = "Listen 80\nServerName a\n<VirtualHost *:80>\n  DocumentRoot /srv\n</VirtualHost>\n"
SQUID = "acl localnet src 10.0.0.0/8\nhttp_access allow localnet\nhttp_access deny all\n"
FLUENT_BIT = "[SERVICE]\n    Flush 1\n[INPUT]\n    Name tail\n[OUTPUT]\n    Name es\n"
HAPROXY = "global\n    maxconn 10\nfrontend web\n    bind :80\nbackend app\n    server a 10.0.0.1\n"
SCRIPT = "#!/bin/sh\nset -e\n./prepare\n./run\n"


@pytest.mark.parametrize(
    ("name", "base", "overlay"),
    [
        ("nginx.conf", NGINX, "http {\n}\n"),
        ("httpd.conf", HTTPD, "Listen 8080\n"),
        ("squid.conf", SQUID, "http_access allow all\n"),
        ("fluent-bit.conf", FLUENT_BIT, "[SERVICE]\n    Flush 5\n"),
        ("haproxy.cfg", HAPROXY, "global\n    maxconn 20\n"),
        ("start.sh", SCRIPT, "./run --fast\n"),
        ("short.sh", "./prepare\n./run\n", "./run --fast\n"),
        ("motd.txt", "welcome\nto the shop\n", "closed\n"),
    ],
)
def test_a_text_of_which_most_goes_is_told(tmp_path: Path, name: str, base: str, overlay: str) -> None:
    """Case conf-text-replaced-silently: the build warns at the overlay's line, and `explain` says why."""
    root = project(tmp_path, config(name, base), config(name, overlay))
    done = run_envc(root, "build")
    assert done.code == 0
    assert f"warning: overlays/dev/a.yaml:6:{5 + len(name)}: ConfigMap/cache (namespace dev): `data." in done.err
    assert "replaced whole" in done.err
    key = name.replace(".", "\\.")
    assert (
        f"list data.{key}: replaced whole: " in run_envc(root, "explain", "dev", "configmap/cache", f"data.{key}").out
    )


@pytest.mark.parametrize("form", ["data: {{{}: '{}'}}\n", "data:\n  {}: |\n    {}\n"], ids=["flow", "block"])
@pytest.mark.parametrize(
    ("name", "base", "overlay", "gone"),
    [
        ("gates", "A=true,B=false,C=true", "B=true", "A, C"),
        ("dsn", "host=db user=web dbname=shop port=5432", "host=other user=web", "dbname, port"),
        ("OPTS", "-Da=1; -Db=2", "-Da=2;", "-Db"),
        ("gates", "A=true,B=false,C=true", "A=true,B=true", ""),
        ("gates", "A=true,B=false", "Z=true", ""),
        ("gates", "A=true", "A=false", ""),
        ("gates", "A=true,B=false", "none", ""),
        ("JAVA_OPTS", "-Xmx1g -Dfoo=bar", "-Xmx2g", ""),
        ("level", "info", "debug", ""),
        ("url", "https://a.example/?a=1&b=2", "https://b.example/?a=1", ""),
        ("app.properties", "a=1", "b=2", ""),
        ("list", "a,b,c", "a", ""),
    ],
)
def test_one_line_for_another_is_told_where_it_looks_like_a_part(
    tmp_path: Path, name: str, base: str, overlay: str, gone: str, form: str
) -> None:
    """A value in the place of a value is meant; a few of the names of a list of `name=value` look as if it merged."""
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache}\n"
    root = project(tmp_path, head + form.format(name, base), head + form.format(name, overlay))
    done = run_envc(root, "build")
    assert done.code == 0
    assert ("warning" in done.err) == bool(gone), done.err
    assert not gone or f"of the settings on its line {gone} are gone; state all of them, or annotate" in done.err
    explained = run_envc(root, "explain", "dev", "configmap/cache", f"data.{name.replace('.', chr(92) + '.')}").out
    assert "replaced whole" in explained or not gone, explained
    patched = head.replace("{name: cache}", f"{{name: cache, annotations: {{envcompile.dev/replace: {name}}}}}")
    write_files(root, {"overlays/dev/a.yaml": patched + form.format(name, overlay)})
    assert "warning" not in run_envc(root, "build").err


@pytest.mark.parametrize(
    ("overlay", "head", "settings"),
    [
        (NGINX.replace("80", "8080"), "", ""),
        ("http {\n}\n", "  annotations: {envcompile.dev/replace: nginx.conf}\n", ""),
        ("http {\n}\n", "", "configMerge: replace\n"),
    ],
    ids=["written out", "annotated", "configMerge"],
)
def test_what_is_meant_is_not_told(tmp_path: Path, overlay: str, head: str, settings: str) -> None:
    """A text written out, the annotation, the setting: no warning."""
    files = {"envc.yaml": settings} if settings else {}
    root = project(tmp_path, config("nginx.conf", NGINX), config("nginx.conf", overlay, head), **files)
    done = run_envc(root, "build")
    assert (done.code, "warning" in done.err) == (0, False), done.err


TELEGRAF = (
    '[agent]\n  interval = "10s"\n[[outputs.influxdb]]\n  urls = ["http://a"]\n  database = "t"\n'
    '[[inputs.disk]]\n  ignore_fs = ["tmpfs"]\n[[inputs.disk]]\n  mount_points = ["/data"]\n'
    + "".join(f'[[inputs.ping]]\n  url = "{number}"\n' for number in range(20))
)
PING = '[[inputs.ping]]\n  url = "9"\n'
SCRAPED = "global: {interval: 1m}\nscrape_configs:\n" + "".join(f"- job_name: j{n}\n  port: {n}\n" for n in range(9))
PANELS = json.dumps({"title": "a", "panels": [{"id": number, "type": "graph"} for number in range(9)]}, indent=1)


@pytest.mark.parametrize(
    ("name", "base", "part", "most", "lists"),
    [
        (
            "telegraf.conf",
            TELEGRAF,
            '[[outputs.influxdb]]\n  urls = ["http://b"]\n[[inputs.disk]]\n  ignore_fs = ["overlay"]\n',
            PING,
            ("outputs.influxdb, inputs.disk", "inputs.ping"),
        ),
        ("x.toml", TELEGRAF, "[[inputs.disk]]\n  a = 1\n", PING, ("inputs.disk", "inputs.ping")),
        ("a.yml", SCRAPED, "scrape_configs:\n- job_name: j\n", "scrape_configs: [{a: 1}]\n", ("scrape_configs",) * 2),
        ("a.json", PANELS, '{"panels": [{"id": 1}]}', '{"panels": [{"id": 1}]}', ("panels",) * 2),
    ],
    ids=["telegraf", "toml", "yaml", "json"],
)  # fmt: skip
def test_a_list_in_a_text_that_loses_items_is_told(
    tmp_path: Path, name: str, base: str, part: str, most: str, lists: tuple[str, str]
) -> None:
    """`explain` names the lists that were replaced; the build warns where most of the text goes by that."""
    key = name.replace(".", "\\.")
    root = project(tmp_path, config(name, base), config(name, part))
    assert run_envc(root, "build").code == 0
    explained = run_envc(root, "explain", "dev", "configmap/cache", f"data.{key}").out
    assert f"; lists are replaced whole, and lose items or fields of the layers below: {lists[0]}\n" in explained
    write_files(root, {"overlays/dev/a.yaml": config(name, most)})
    done = run_envc(root, "build")
    assert done.code == 0
    assert f"and most of it goes, as lists in it are replaced whole: {lists[1]}; state all items" in done.err


@pytest.mark.parametrize(
    ("name", "base", "overlay"),
    [
        ("x.toml", TELEGRAF, '[agent]\n  interval = "30s"\n'),
        ("x.toml", TELEGRAF, '[[outputs.influxdb]]\n  urls = ["http://b"]\n  database = "u"\n'),
        ("x.yaml", "ports: [1, 2, 3]\na: 1\n", "ports: [4]\n"),
        ("x.json", '{"a": [{"b": 1}]}', '{"a": [{"b": 2}, {"b": 3}]}'),
    ],
)
def test_lists_that_lose_nothing_are_not_told(tmp_path: Path, name: str, base: str, overlay: str) -> None:
    """Neither those that are stated whole, nor those of plain values, which nobody takes for merged ones."""
    root = project(tmp_path, config(name, base), config(name, overlay))
    assert "warning" not in run_envc(root, "build").err
    key = name.replace(".", "\\.")
    assert "replaced whole" not in run_envc(root, "explain", "dev", "configmap/cache", f"data.{key}").out


def test_redis_keeps_what_the_overlay_does_not_name(tmp_path: Path) -> None:
    """Case conf-text-replaced-silently, and `explain` names the rule."""
    base = 'maxmemory 1gb\nprotected-mode yes\nrename-command FLUSHALL ""\n'
    root = project(tmp_path, config("redis.conf", base), config("redis.conf", "maxmemory 2gb\n"))
    shown = run_envc(root, "show", "dev")
    assert "maxmemory 2gb" in shown.out
    assert "protected-mode yes" in shown.out
    explained = run_envc(root, "explain", "dev", "configmap/cache", "data.redis\\.conf")
    assert "list data.redis\\.conf: merged key by key as Redis text" in explained.out


@pytest.mark.parametrize(
    ("overlay", "is_told"),
    [
        ("  - {name: a, env: x}\n", True),
        ("  - {name: c, image: c, port: 3}\n", True),
        ("  - $patch: replace\n  - {name: a, env: x}\n", False),
        ("  - {name: a, image: a, port: 1}\n  - {name: b, image: b, port: 3}\n", False),
    ],
    ids=["a part", "another", "meant", "most stays"],
)
def test_a_list_of_which_most_goes_is_told(tmp_path: Path, *, overlay: str, is_told: bool) -> None:
    """Case rollout-list-replaced-silently, for kinds nobody knows: the warning names what is lost and the way out."""
    items = "  - {name: a, image: a, port: 1}\n  - {name: b, image: b, port: 2}\n"
    root = project(tmp_path, custom("Thing", items), custom("Thing", overlay))
    done = run_envc(root, "build")
    assert done.code == 0
    told = "warning: overlays/dev/a.yaml:6:3: Thing.example.com/shop (namespace dev): `spec.parts` is replaced whole"
    assert (told in done.err) is is_told, done.err
    assert ("`mergeKeys` of envc.yaml" in done.err) is is_told


def test_the_api_s_own_lists_are_never_told(tmp_path: Path) -> None:
    """An Ingress's rules are replaced because Kubernetes says so."""
    ingress = (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: shop}}\nspec:\n  rules:\n"
        "  - {{host: {0}}}\n  - {{host: {1}}}\n"
    )
    root = project(tmp_path, ingress.format("a", "b"), ingress.format("c", "d"))
    done = run_envc(root, "build")
    assert (done.code, "warning" in done.err) == (0, False), done.err
