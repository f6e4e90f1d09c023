"""Values that everybody meets all the time: delivery networks, resolvers, cloud stores, those who map the internet."""

from __future__ import annotations

from random import Random

from fsoc.exercise.finding import Finding, observable
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.levels import Level

NETWORKS, MAPPERS = 6, 2
MAPPED_SHARE = 0.25


class Hubs:
    """The hubs of one exercise. `values` are all of them, `(type, value)`."""

    def __init__(self, rng: Random, fresh: Fresh, level: Level) -> None:
        self._rng = rng
        self._level = level
        kinds = ("edge", "cdn", "storage", "resolver", "tracking", "mirror")
        self._networks = [
            ("ipv4", fresh.ip()) if kind == "resolver" else ("domain", f"{kind}-{fresh.domain()}") for kind in kinds
        ]
        self._mappers = [("ipv4", fresh.ip()) for _ in range(MAPPERS)]
        self._next = 0

    @property
    def values(self) -> frozenset[tuple[str, str]]:
        return frozenset(self._networks + self._mappers)

    def perhaps(self, finding: Finding) -> None:
        """Now and then a ticket on mail, a file or a page names a hub beside its matter, and a scan is a mapper's."""
        rng = self._rng
        if finding.category == "information-gathering.scanner":
            if rng.random() < MAPPED_SHARE:
                self.name(finding)
        elif _names_networks(finding) and rng.random() < self._level.hubs:
            self.name(finding)

    def name(self, finding: Finding) -> None:
        """Name the next hub, so that all of them are named equally often; nothing where the finding would name none."""
        self._next += 1
        if finding.category == "information-gathering.scanner":
            type_, value = self._mappers[self._next % MAPPERS]
            finding.observables[0] = observable(type_, value, "attacker")
            finding.evidence[0]["fields"]["src_ip"] = value
        elif _names_networks(finding):
            type_, value = self._networks[self._next % NETWORKS]
            role = "infrastructure" if self._rng.random() < self._level.hostile else "artefact"
            finding.observables.append(observable(type_, value, role))


def _names_networks(finding: Finding) -> bool:
    return finding.category.startswith(("malicious-code.", "fraud.phishing"))
