"""The section of new findings in a pull request's comment."""

from __future__ import annotations

from envcompile.ask.findings import FindingRow, NewFindings

ROW = FindingRow(
    "error", "image-tag", "the image of `web` has no tag", ("dev", "prod"), "Deployment/web", "base/web.yaml:14"
)
HEAD = "#### New findings\n\n| grade | finding | environment | resource | place |\n|---|---|---|---|---|\n"
LINE = (
    "| error | `image-tag`: the image of `web` has no tag | **dev**, **prod** | `Deployment/web` "
    "| `base/web.yaml:14` |\n"
)


def test_nothing_new_is_no_section() -> None:
    """Whatever went away."""
    assert not NewFindings().markdown()
    assert not NewFindings((), 3).markdown(5000)


def test_each_finding_is_a_row() -> None:
    """And what went away is counted."""
    assert NewFindings((ROW,)).markdown() == HEAD + LINE
    assert NewFindings((ROW, ROW), 1).markdown() == f"{HEAD}{LINE}{LINE}\n1 finding of before went away.\n"
    assert NewFindings((ROW,), 2).markdown().endswith("\n2 findings of before went away.\n")


def test_it_is_cut_by_whole_rows() -> None:
    """At every size: no row is cut, and what is left out is counted."""
    news = NewFindings((ROW,) * 20, 4)
    whole = news.markdown()
    for most in range(400, len(whole) + 10, 37):
        text = news.markdown(most)
        assert len(text) <= most
        rows = text.count(LINE)
        assert text.count("| error |") == rows
        left = 20 - rows
        assert ("not shown here" in text) is bool(left)
        if left > 1:
            assert f"\n\n{left} more findings are not shown here: `envc check` prints all.\n" in text
    assert news.markdown(len(whole) + 200) == whole


def test_what_manifests_say_is_text() -> None:
    """It makes no markup, ends no cell, notifies nobody and hides nothing."""
    nasty = FindingRow(
        "warning",
        "a`b|c",
        "see @team\n<b>*x*</b> | `co|de` [l](http://x) \u202e`open",
        ("pr|od",),
        "ConfigMap/`a`",
        "",
    )
    assert NewFindings((nasty,)).markdown() == (
        f"{HEAD}| warning | `a\ufffdb\ufffdc`: see @<!-- -->team &lt;b&gt;\\*x\\*&lt;/b&gt; \\| `co\ufffdde` "
        "\\[l\\](http:<!-- -->//x) \\\\u202e\\`open | **pr\\|od** | `ConfigMap/\ufffda\ufffd` |  |\n"
    )
