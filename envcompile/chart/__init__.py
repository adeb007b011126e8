"""Makes one Helm chart of all environments."""

from envcompile.chart.emission import emit
from envcompile.chart.shapes import ChartInput, ChartOptions

__all__ = ["ChartInput", "ChartOptions", "emit"]
