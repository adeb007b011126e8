"""Real environments brought over: the build equals the source in every one of them."""

from pathlib import Path

import pytest

from envcompile.adopt import from_manifests
from envcompile.errors import EnvcError

CORPORA = Path(__file__).parents[2].parent / "shared" / "corpora" / "environments"
CASES = sorted(path.name for path in CORPORA.iterdir()) if CORPORA.is_dir() else ["none"]

# Sources that no cluster could hold; what is said about them is part of the promise.
REFUSED = {
    "k8s-examples": "the key `selector` is defined twice in one map, first on line 1632",
    "thanos": "environment all: ServiceMonitor/thanos-compact (namespace thanos) is defined twice, and differently",
}

# The most lines that base and overlays may have together, as a share of those of the source's objects; the author's
# comments and blank lines are on top.
COMMENTED = 1.15
LARGEST_SHARE = {
    "argo-cd": 0.5,
    "bank-of-anthos": 0.55,
    "id-konflux-kite": 0.2,
    "id-konflux-ui": 0.3,
    "id-namespace-lister": 0.15,
    "infra-deployments": 0.6,
    "ingress-nginx": 0.2,
    "online-boutique": 0.4,
    "podinfo": 0.35,
    "train-ticket": 0.45,
}


@pytest.mark.corpora
@pytest.mark.parametrize("case", CASES)
def test_the_build_of_a_real_repository_equals_its_source(case: str, tmp_path: Path) -> None:
    """Every object of every environment comes out as it went in, and what is common is written once."""
    if not CORPORA.is_dir():
        pytest.skip(f"the corpora are not at {CORPORA}")
    if case in REFUSED:
        with pytest.raises(EnvcError) as caught:
            from_manifests(CORPORA / case, tmp_path / "new")
        assert caught.value.problems[0].what == REFUSED[case]
        return
    adoption = from_manifests(CORPORA / case, tmp_path / "new")
    assert [str(difference) for difference in adoption.proof.differences] == []
    lines = adoption.base_lines + adoption.overlay_lines
    assert lines <= LARGEST_SHARE.get(case, COMMENTED) * adoption.source_lines + len(adoption.environments) * 5
