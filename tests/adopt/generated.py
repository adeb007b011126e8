"""Random environments: similar objects with all that makes factoring hard."""

from typing import Any

from hypothesis import strategies as st

from envcompile.adopt.existing import Existing, ExistingEnvironment, Sources, literal_identity
from envcompile.model import Location

Value = dict[str, Any]

NAMES = ("web", "web-api", "db", "debug[1]")
TEXTS = ("a", "b", "${{ params.host }}", "x ${{ params.namespace }} y", "$patch", "", "12:30")
KINDS = (
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "Namespace"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "CronJob"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("example.com/v1", "Widget"),
    ("example.com/v1", "ClusterWidget"),
)
PROPERTIES = (
    "a=1\nb=2\n",
    "a=1\nb=3\n",
    "# note\na=1\n\nb=2\nc=4\n",
    "b=2\na=1\n",
    "a=1",
    "no separator\n\\",
    "",
)

texts = st.sampled_from(TEXTS)
scalars = st.one_of(texts, st.sampled_from([None, True, False, 0, 1, 1.0, 1.5, -3]))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "key", "$patch", "x/y", "containers", "image", "null"]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)
maps = st.dictionaries(
    st.sampled_from(["app", "tier", "env", "a/b"]), st.sampled_from(["web", "db", "prod"]), max_size=3
)
metadata_maps = st.one_of(st.none(), st.just("absent"), maps)


@st.composite
def containers(draw: st.DrawFn) -> list[Any]:
    """A list of containers, sometimes with a name twice or none."""
    found: list[Any] = []
    for name in draw(st.lists(st.sampled_from(["main", "sidecar", "proxy"]), max_size=3, unique=draw(st.booleans()))):
        container: Value = {"name": name}
        if draw(st.booleans()):
            container["image"] = draw(
                st.sampled_from(["img:1", "img:2", "img", "reg:5000/img:1", "img@sha256:" + "a" * 64, "img:"])
            )
        if draw(st.booleans()):
            names = draw(st.lists(st.sampled_from(["A", "B", "C"]), max_size=3))
            container["env"] = [{"name": each, "value": draw(texts)} for each in names]
        if draw(st.booleans()):
            container["ports"] = draw(
                st.lists(
                    st.fixed_dictionaries(
                        {"containerPort": st.sampled_from([80, 81])},
                        optional={"protocol": st.sampled_from(["TCP", "UDP"])},
                    ),
                    max_size=3,
                )
            )
        if draw(st.booleans()):
            container["args"] = draw(st.lists(texts, max_size=3))
        if draw(st.integers(0, 5)) == 0:
            container["extra"] = draw(values)
        found.append(container)
    return found


@st.composite
def objects(draw: st.DrawFn, namespace: str | None) -> Value:
    """One object of one of the kinds."""
    api_version, kind = draw(st.sampled_from(KINDS))
    metadata: Value = {"name": draw(st.sampled_from(NAMES))}
    if draw(st.integers(0, 15)) == 0:
        metadata = {"generateName": "run-"}
    own = draw(st.sampled_from([namespace, namespace, namespace, namespace, namespace, None, "other", "shared"]))
    if own is not None:
        metadata["namespace"] = own
    for field in ("labels", "annotations"):
        entries = draw(metadata_maps)
        if entries != "absent":
            metadata[field] = entries
    value: Value = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    if kind in {"ConfigMap", "Secret"}:
        data = draw(
            st.dictionaries(
                st.sampled_from(["a.properties", "b.yaml", "c.conf", "plain"]),
                st.one_of(st.sampled_from(PROPERTIES), texts),
                max_size=3,
            )
        )
        value["data"] = draw(st.sampled_from([data, data, data, None]))
    elif kind in {"Deployment", "StatefulSet", "CronJob"}:
        template: Value = {"spec": {"containers": draw(containers())}}
        if draw(st.booleans()):
            template["metadata"] = {"labels": draw(maps)}
        spec: Value = {"template": template}
        if draw(st.booleans()):
            spec["replicas"] = draw(st.sampled_from([1, 2, None, 3]))
        value["spec"] = {"jobTemplate": {"spec": spec}} if kind == "CronJob" else spec
    elif kind.endswith("Binding"):
        subject = st.fixed_dictionaries(
            {"kind": st.sampled_from(["ServiceAccount", "User"]), "name": st.just("web")},
            optional={"namespace": st.sampled_from([namespace or "other", "other"])},
        )
        value["subjects"] = draw(st.lists(subject, max_size=2))
    else:
        value["spec"] = draw(values)
    if draw(st.integers(0, 20)) == 0:
        value["$patch"] = draw(texts)
    return value


@st.composite
def sources(draw: st.DrawFn) -> Sources:
    """Some environments that share objects, changed a little in each."""
    names = draw(st.sampled_from([("prod",), ("dev", "prod"), ("dev", "staging", "prod"), ("a", "b", "c", "d")]))
    same_namespace = draw(st.booleans())
    has_namespaces = draw(st.integers(0, 3)) > 0
    shared = draw(st.lists(objects("NAMESPACE"), max_size=4))
    environments = []
    for name in names:
        namespace = None if not has_namespaces else "apps" if same_namespace else f"apps-{name}"
        found: dict[str, Value] = {}
        for value in shared:
            chance = draw(st.integers(0, 4))
            if chance > 0:
                variant = value if chance > 1 else draw(changed(value))
                _add(found, _placed(variant, namespace))
        for value in draw(st.lists(objects(namespace), max_size=2)):
            _add(found, value)
        existing = tuple(Existing(value, Location("source.yaml", 1, 1)) for value in found.values())
        environments.append(ExistingEnvironment(name, name, existing))
    return Sources(tuple(environments), ())


@st.composite
def changed(draw: st.DrawFn, value: Value) -> Value:
    """The object with parts of another one of its kind."""
    other = draw(objects("NAMESPACE"))
    if other["kind"] != value["kind"]:
        key = draw(st.sampled_from(["spec", "data", "labels"]))
        return {**value, key: draw(values)} if key != "labels" else value
    metadata = {
        **other["metadata"],
        **{key: value["metadata"][key] for key in ("name", "generateName") if key in value["metadata"]},
    }
    if "name" in value["metadata"]:
        metadata.pop("generateName", None)
    else:
        metadata.pop("name", None)
    return {**other, "metadata": metadata}


def _placed(value: Value, namespace: str | None) -> Value:
    metadata = value["metadata"]
    if metadata.get("namespace") != "NAMESPACE":
        return value
    placed = {key: item for key, item in metadata.items() if key != "namespace"}
    if namespace is not None:
        placed["namespace"] = namespace
    return {**value, "metadata": placed}


def _add(found: dict[str, Value], value: Value) -> None:
    """Keep one object of each identity, as reading does."""
    group, kind, namespace, name = literal_identity(value)
    if kind in {"Namespace", "ClusterRoleBinding", "ClusterWidget"}:
        namespace = ""
    found.setdefault(repr((group, kind, namespace, name)), value)
