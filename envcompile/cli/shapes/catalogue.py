"""The shapes by name, and the JSON Schema of each.

Every document has `formatVersion`. While it stays the same, fields may be added and none is taken away or gets another
meaning; readers pass over fields that they do not know. Manifests (`envc show`, `envc history at`) have no shape of
envc's own, and lines of `envc history export` are described where they are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.cli.shapes import (
    builds,
    charts,
    compliance,
    costs,
    differences,
    document,
    drift,
    findings,
    history,
    live,
    pictures,
    predictions,
    report,
    scaling,
    secrets,
    setup,
)
from envcompile.schemas import described

if TYPE_CHECKING:
    import msgspec

DOCUMENTS: Final[dict[str, type[msgspec.Struct]]] = {
    "affected": differences.AffectedDocument,
    "build": builds.BuildDocument,
    "chart-package": setup.ChartPackageDocument,
    "chart-push": setup.ChartPushDocument,
    "chart-verify": builds.ChartVerifyDocument,
    "charts-list": charts.ChartsListDocument,
    "charts-outdated": charts.ChartsOutdatedDocument,
    "charts-update": charts.ChartsUpdateDocument,
    "check": findings.CheckDocument,
    "check-statistics": findings.CheckStatisticsDocument,
    "compliance": compliance.ComplianceDocument,
    "compliance-audit": compliance.ComplianceAuditDocument,
    "compliance-verify": compliance.ComplianceVerifyDocument,
    "convert": setup.ConvertDocument,
    "cost": costs.CostDocument,
    "cost-diff": costs.CostDiffDocument,
    "cost-history": costs.CostHistoryDocument,
    "crds-add": setup.CrdsAddDocument,
    "db-doctor": live.DbDoctorDocument,
    "db-gc": live.DbGcDocument,
    "db-status": live.DbStatusDocument,
    "db-upgrade": history.UpgradeDocument,
    "diff": differences.DiffDocument,
    "drift": drift.DriftDocument,
    "eject": setup.EjectDocument,
    "explain": builds.ExplainDocument,
    "fix": findings.FixDocument,
    "graph": pictures.GraphDocument,
    "guide": builds.GuideDocument,
    "history-blame": history.HistoryBlameDocument,
    "history-doctor": history.HistoryDoctorDocument,
    "history-find": history.HistoryFindDocument,
    "history-log": history.HistoryLogDocument,
    "history-prune": history.HistoryPruneDocument,
    "history-rebuild": history.HistoryRebuildDocument,
    "history-record": history.HistoryRecordDocument,
    "history-restore": history.HistoryRestoreDocument,
    "history-show": history.HistoryShowDocument,
    "history-stats": history.HistoryStatsDocument,
    "history-timeline": history.HistoryTimelineDocument,
    "hook-install": setup.HookInstallDocument,
    "hook-status": builds.HookStatusDocument,
    "hook-uninstall": setup.HookUninstallDocument,
    "init": setup.InitDocument,
    "list": builds.ListDocument,
    "matrix": pictures.MatrixDocument,
    "live-blame": live.LiveBlameDocument,
    "live-events": live.LiveEventsDocument,
    "live-get": live.LiveGetDocument,
    "live-log": live.LiveLogDocument,
    "live-stats": live.LiveStatsDocument,
    "new": setup.NewDocument,
    "notify": setup.NotifyDocument,
    "owners": builds.OwnersDocument,
    "predict": predictions.PredictDocument,
    "promote": differences.PromoteDocument,
    "recommend": predictions.RecommendDocument,
    "report": report.ReportDocument,
    "rule": findings.RuleDocument,
    "secrets": secrets.SecretsDocument,
    "secrets-audit": secrets.SecretsAuditDocument,
    "secrets-certificate": secrets.CertificateDocument,
    "secrets-scan": secrets.SecretsScanDocument,
    "secrets-status": secrets.SecretsStatusDocument,
    "secrets-unseal": secrets.SecretsUnsealDocument,
    "secrets-verify": secrets.SecretsVerifyDocument,
    "simulate": scaling.SimulateDocument,
    "version": builds.VersionDocument,
    "watch": live.WatchDocument,
}
"""The name in `envc schema output/NAME` -> the model."""


def output_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what a command prints.

    Args:
        name: one of `DOCUMENTS`.
    """
    modules = (
        builds,
        charts,
        compliance,
        costs,
        differences,
        document,
        drift,
        findings,
        history,
        live,
        pictures,
        predictions,
        report,
        scaling,
        secrets,
        setup,
    )
    return described(DOCUMENTS[name], f"envc {name.replace('-', ' ')}, format 1", modules)
