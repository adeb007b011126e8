"""The part of a chart that one service is: remembered, or made when somebody asks for what is not.

As long as nobody asks for texts, lengths and digests stand for them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from envcompile.chart.arrangement import key_of
from envcompile.chart.concealment import conceal
from envcompile.chart.fragments import Answers, Fragment, Outline, ServiceMaker
from envcompile.chart.memory import Trace, unpacked

if TYPE_CHECKING:
    from envcompile.chart.arrangement import Planned
    from envcompile.chart.concealment import Revealer
    from envcompile.chart.memory import Recollection
    from envcompile.chart.naming import NameTable
    from envcompile.chart.portions import Numbered
    from envcompile.chart.shared import Shared


class Head(msgspec.Struct, frozen=True, array_like=True):
    """What tells the texts of a part apart without saying them."""

    files: dict[str, Trace]
    """By path below the chart's folder."""
    sections: tuple[Trace, ...]
    """In values.yaml, in the file of each environment, and in values.schema.json."""
    manifest: Trace

    @classmethod
    def of(cls, fragment: Fragment) -> Head:
        """That of a part."""
        return cls(
            {path: Trace.of(text) for path, text in fragment.files.items()},
            tuple(map(Trace.of, fragment.section.texts)),
            Trace.of(fragment.manifest),
        )


class Chartwide(msgspec.Struct, frozen=True):
    """What all services of a chart are given."""

    environments: tuple[str, ...]
    portions: Numbered
    """Those of all environments, one behind the other."""
    shared: Shared
    table: NameTable | None
    """The names that follow the release's; None where none does."""
    is_tested: bool
    """Whether each Service gets a pod that `helm test` starts."""
    digest: str
    """Of all of it but the portions."""


class Part:
    """One service's part of a chart.

    Args:
        planned: the service.
        chartwide: what all services are given.
        known: what is remembered.
        revealer: finds texts of services with Secrets in clear; None where nothing is remembered.
    """

    def __init__(self, planned: Planned, chartwide: Chartwide, known: Recollection, revealer: Revealer | None) -> None:
        self.planned = planned
        self.is_made = False
        self._chartwide = chartwide
        self._known = known
        self._revealer = revealer
        self._name = key_of(planned, chartwide.digest, chartwide.portions)
        self._maker: ServiceMaker | None = None
        self._answers = b""
        packed = known.packed(self._named("outline", self._name))
        self._outline = unpacked(packed, Outline)
        self.outline_digest = hashlib.sha256(packed or b"").hexdigest() if self._outline is not None else ""
        """The digest of what the service tells the whole, once that is known."""
        self._head: Head | None = None
        self._fragment: Fragment | None = None
        self._concealed: Fragment | None = None
        """The same as it is remembered, which of a service with Secrets in clear is not all of it."""
        self._text_name = ""

    # ------------------------------------------------------ what it tells the whole

    @property
    def has_outline(self) -> bool:
        """Whether it is known what the service tells the whole."""
        return self._outline is not None

    @property
    def outline(self) -> Outline:
        """What the service tells the whole."""
        if self._outline is None:
            self.take_outline(self.work(b""))
        return self._outline  # type: ignore[return-value]  # it was taken

    def take_outline(self, packed: bytes) -> None:
        """Take what was made."""
        self._outline = msgspec.msgpack.decode(packed, type=Outline)
        self.outline_digest = hashlib.sha256(packed).hexdigest()
        self.is_made = True
        memo = self._known.memo
        if memo is not None and self._name:
            memo.put(self._named("outline", self._name), packed)

    # ------------------------------------------------------ what becomes of it

    def answer(self, answers: bytes) -> None:
        """Take what the whole says to the outline."""
        self._answers = answers
        digest = hashlib.sha256(self._name.encode() + answers).hexdigest() if self._name else ""
        self._text_name = digest
        self._head = self._known.get(self._named("head", digest), Head)

    @property
    def has_head(self) -> bool:
        """Whether it is known what the service becomes."""
        return self._head is not None

    @property
    def head(self) -> Head:
        """What tells its texts apart."""
        if self._head is None:
            self.take_fragment(self.work(self._answers))
        return self._head  # type: ignore[return-value]  # it was taken

    @property
    def fragment(self) -> Fragment:
        """Its texts."""
        if self._fragment is None and self._head is not None:
            self._fragment = self._recalled(self._head)
        if self._fragment is None:
            self.take_fragment(self.work(self._answers))
        return self._fragment  # type: ignore[return-value]  # it was taken

    def file(self, path: str) -> str:
        """The text of one of its files; the others are not looked at where they need not be."""
        if self._fragment is None and self._head is not None and self.planned.is_clear:
            kept = self._kept()
            if kept is not None and path in kept.files and path not in kept.clear:
                return kept.files[path]
        return self.fragment.files[path]

    def take_fragment(self, packed: bytes) -> None:
        """Take what was made."""
        fragment = self._fragment = msgspec.msgpack.decode(packed, type=Fragment)
        self.is_made = True
        self._head = Head.of(fragment)
        memo = self._known.memo
        if memo is not None and self._text_name:
            self._known.put(self._named("head", self._text_name), self._head)
            shown = msgspec.msgpack.encode(conceal(fragment)) if self.planned.is_clear else packed
            memo.put_text(self.planned.key, self._named("head", self._text_name), shown)

    def work(self, answers: bytes) -> bytes:
        """What the service's answers ask for, packed; its outline before there are any."""
        if not answers:
            return msgspec.msgpack.encode(self.maker.outline())
        return msgspec.msgpack.encode(self.maker.fragment(msgspec.msgpack.decode(answers, type=Answers)))

    @property
    def maker(self) -> ServiceMaker:
        """Makes it."""
        if self._maker is None:
            chartwide = self._chartwide
            service, homes = self.planned.service(chartwide.portions)
            self._maker = ServiceMaker(
                service,
                homes,
                chartwide.shared,
                chartwide.environments,
                chartwide.table,
                is_tested=chartwide.is_tested,
            )
        return self._maker

    def _kept(self) -> Fragment | None:
        """What is remembered of its texts, without those that show a value in clear."""
        memo = self._known.memo
        if memo is None or not self._text_name:
            return None
        if self._concealed is None:
            self._concealed = unpacked(memo.text(self.planned.key, self._named("head", self._text_name)), Fragment)
        return self._concealed

    def _recalled(self, head: Head) -> Fragment | None:
        found = self._kept()
        if found is None or not self.planned.is_clear:
            return found
        if self._revealer is None:
            return None
        return self._revealer.reveal(found, head.files, head.sections, self.planned.key)

    @staticmethod
    def _named(kind: str, digest: str) -> str:
        return f"{kind} {digest}" if digest else ""
