"""What an engine offers beside matching whose rules have anchors. None of it changes any match."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from fsoc.detection.plan import Anchor, Rates
from fsoc.detection.routed import RoutedDetector


class PlannedDetector(RoutedDetector):
    """anchors: those of its start, plan(program)."""

    anchors: tuple[Anchor, ...]

    @abstractmethod
    def rates(self) -> Rates:
        """What was seen since the start; both numbers of a clause only grow."""

    @abstractmethod
    def prepare(self, anchors: Sequence[Anchor]) -> Any:
        """Make ready to search by these; slow, and may be called from another thread while events are matched."""

    @abstractmethod
    def adopt(self, prepared: Any) -> None:
        """Search by what was prepared from now on; quick."""
