"""Names around Ingresses that several rules know."""

from __future__ import annotations

from typing import Final

CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
