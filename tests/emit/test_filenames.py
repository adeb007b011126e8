"""File names follow from the resource alone, are safe on every file system, and never clash."""

from __future__ import annotations

import pytest

from envcompile.emit.filenames import filename, place_files, refuse_alike_applications
from envcompile.errors import EnvcError
from tests.emit.samples import BUILT_IN, resource

GATEWAY = resource("Gateway", "edge", group="networking.istio.io")
OTHER_GATEWAY = resource("Gateway", "edge", group="gateway.example.com")


@pytest.mark.parametrize(
    ("kind", "group", "namespace", "name", "expected"),
    [
        ("ConfigMap", "", "shop", "settings", "configmap-settings.yaml"),
        ("ConfigMap", "", "monitoring", "settings", "configmap-settings.monitoring.yaml"),
        ("ClusterRole", "rbac.authorization.k8s.io", "", "reader", "clusterrole-reader.yaml"),
        ("Ingress", "networking.k8s.io", "shop", "web", "ingress-web.yaml"),
        ("Service", "serving.knative.dev", "shop", "web", "service.serving.knative.dev-web.yaml"),
        ("ScaledObject", "keda.sh", "shop", "web", "scaledobject-web.yaml"),
        ("ClusterRole", "rbac.authorization.k8s.io", "", "system:a/b", "clusterrole-system%3Aa%2Fb.yaml"),
        ("Role", "rbac.authorization.k8s.io", "shop", "50%é", "role-50%25%C3%A9.yaml"),
    ],
)
def test_the_name_follows_from_the_identity(kind: str, group: str, namespace: str, name: str, expected: str) -> None:
    """Kind and name; the group of a custom kind named like a built-in one; a namespace that is not the usual one."""
    identity = resource(kind, name, group=group, namespace=namespace).id
    assert filename(identity, "shop", BUILT_IN) == expected


def test_percent_encoding_tells_names_apart() -> None:
    """A name that looks like an encoded one is encoded itself."""
    placed = place_files([resource("Role", "a:b"), resource("Role", "a%3ab")], "shop", BUILT_IN)
    assert sorted(placed) == ["web/role-a%253ab.yaml", "web/role-a%3Ab.yaml"]


def test_names_that_differ_only_in_case_are_two_files_everywhere() -> None:
    """RBAC names may hold capitals: such a file carries a digest, whether the other name is there or not."""
    small, capital, shouted = (resource("Role", name) for name in ("system:foo", "system:Foo", "system:FOO"))
    placed = place_files([small, capital, shouted], "shop", BUILT_IN)
    assert len({path.lower() for path in placed}) == 3
    assert placed["web/role-system%3Afoo.yaml"] is small
    for one in (small, capital, shouted):
        assert place_files([one], "shop", BUILT_IN).items() <= placed.items()


def test_kinds_that_differ_only_in_case_are_two_files_everywhere() -> None:
    """Two custom kinds of one group."""
    placed = place_files([resource(kind, "a", group="example.com") for kind in ("Vpc", "VPC")], "shop", BUILT_IN)
    assert len({path.lower() for path in placed}) == 2


def test_applications_that_differ_only_in_case_are_refused() -> None:
    """A checkout on macOS or Windows would have one folder for both."""
    files = {"Web": "base/Web/a.yaml", "web": "", "api": "base/api/a.yaml"}
    with pytest.raises(EnvcError) as error:
        refuse_alike_applications(files)
    assert str(error.value) == (
        "error: the applications `Web` and `web` differ only in case\n"
        "  --> base/Web/a.yaml:1:1\n"
        "hint: rename one: macOS and Windows would put both into one folder"
    )
    refuse_alike_applications({app: file for app, file in files.items() if app != "Web"})


def test_very_long_names_fit_and_stay_apart() -> None:
    """253 characters are allowed to names, 255 bytes to files: a digest stands for what is cut."""
    names = ["a" * 252 + "x", "a" * 252 + "y", "ü" * 100]
    placed = place_files([resource("ConfigMap", name, namespace="elsewhere") for name in names], "shop", BUILT_IN)
    assert len(placed) == 3
    assert all(len(path.removeprefix("web/")) <= 240 and path.isascii() for path in placed)


def test_a_long_application_name_fits() -> None:
    """Folders obey the limits of file systems, too."""
    (path,) = place_files([resource("ConfigMap", "a", app="b:" * 150)], "shop", BUILT_IN)
    assert len(path.partition("/")[0]) == 230


def test_two_custom_kinds_of_one_name_carry_their_groups() -> None:
    """Neither is preferred, whatever the order they come in."""
    expected = {
        "web/gateway.networking.istio.io-edge.yaml": GATEWAY,
        "web/gateway.gateway.example.com-edge.yaml": OTHER_GATEWAY,
    }
    assert place_files([GATEWAY, OTHER_GATEWAY], "shop", BUILT_IN) == expected
    assert place_files([OTHER_GATEWAY, GATEWAY], "shop", BUILT_IN) == expected


def test_a_dotted_name_and_a_namespace_are_told_apart_by_a_digest() -> None:
    """Role `reader.ops`, and Role `reader` of the namespace `ops`."""
    dotted, spaced = resource("Role", "reader.ops"), resource("Role", "reader", namespace="ops")
    placed = place_files([dotted, spaced], "shop", BUILT_IN)
    assert placed == place_files([spaced, dotted], "shop", BUILT_IN)
    assert {path.partition("-reader.ops-")[0] for path in placed} == {"web/role"}
    assert len(placed) == 2


def test_one_name_in_two_applications_is_no_clash() -> None:
    """Each application has its own folder."""
    placed = place_files([GATEWAY, OTHER_GATEWAY._replace(app="edge")], "shop", BUILT_IN)
    assert sorted(placed) == ["edge/gateway-edge.yaml", "web/gateway-edge.yaml"]


def test_adding_a_resource_renames_no_other() -> None:
    """A resource's file stays where it is, whatever else the environment comes to hold."""
    first = [resource("ConfigMap", "a"), GATEWAY, resource("Service", "web")]
    more = [
        resource("ConfigMap", "a", namespace="other"),
        resource("Gateway", "edge2", group="gateway.example.com"),
        resource("Service", "web", group="serving.knative.dev"),
        resource("ConfigMap", "a", app="api"),
    ]
    before = place_files(first, "shop", BUILT_IN)
    after = place_files([*more, *first], "shop", BUILT_IN)
    assert len(after) == 7
    assert before.items() <= after.items()
