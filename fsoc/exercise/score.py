"""What was alerted against what was planted. Pure: truth and alerts in, numbers out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fsoc.exercise.score_apart import ApartScore, score_feeds, score_rules
from fsoc.exercise.spec import FeedTrouble, PlantedCampaign, RuleDefect
from fsoc.tickets.times import milliseconds

MOSTLY = 0.5
INSTITUTIONS_MIN = 2


@dataclass(frozen=True, slots=True)
class CampaignScore:
    """One planted campaign.

    alert_ids: alerts on it, the earliest first. Empty: it was missed.
    covered: how many of its institutions the alerts name; of: how many it struck.
    after_first_s, after_decided_s: event time from its first ticket, and from its third institution, to the earliest
        alert; None where missed. The second is negative where a rule is content with two institutions.
    tickets_per_alert: mean.
    """

    campaign_id: str
    kind: str
    title: str
    alert_ids: tuple[str, ...]
    covered: int
    of: int
    after_first_s: float | None
    after_decided_s: float | None
    tickets_per_alert: float


@dataclass(frozen=True, slots=True)
class KindScore:
    """How the campaigns of one kind fared. alerts: all that are on one of them."""

    kind: str
    planted: int
    found: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Score:
    """found + missed is every planted campaign. false_alarms are alert ids. retracted alerts count neither way.

    on_campaigns: joint alerts that are on at least one campaign.
    local: alerts that concern one institution; they are not judged.
    feeds, rules: alerts that are about feeds, and about rules; they are judged apart.
    """

    campaigns: tuple[CampaignScore, ...]
    found: int
    missed: int
    false_alarms: tuple[str, ...]
    retracted: int
    local: int
    on_campaigns: int
    run_in: int
    feeds: ApartScore
    rules: ApartScore

    @property
    def passes(self) -> bool:
        """Every planted campaign was alerted and nothing else was. Feeds and rules have no part in it."""
        return self.missed == 0 and not self.false_alarms

    @property
    def precision(self) -> float | None:
        """Of the joint alerts, the share that is on a campaign; None where there are none."""
        joint = self.on_campaigns + len(self.false_alarms)
        return self.on_campaigns / joint if joint else None

    @property
    def kinds(self) -> tuple[KindScore, ...]:
        """In the order in which they first strike."""
        names = dict.fromkeys(one.kind for one in self.campaigns)
        return tuple(_of_kind(name, [one for one in self.campaigns if one.kind == name]) for name in names)

    def as_json(self) -> dict[str, Any]:
        """The score line of `fsoc demo` in a pipe."""
        return {
            "passes": self.passes,
            "found": self.found,
            "missed": self.missed,
            "precision": self.precision,
            "false_alarms": list(self.false_alarms),
            "retracted": self.retracted,
            "run_in": self.run_in,
            "local": self.local,
            "kinds": {
                one.kind: {"planted": one.planted, "found": one.found, "alerts": one.alerts} for one in self.kinds
            },
            "feeds": self.feeds.as_json(),
            "rules": self.rules.as_json(),
            "campaigns": [
                {
                    "campaign_id": one.campaign_id,
                    "kind": one.kind,
                    "title": one.title,
                    "alert_ids": list(one.alert_ids),
                    "institutions_covered": one.covered,
                    "institutions_struck": one.of,
                    "after_first_s": one.after_first_s,
                    "after_decided_s": one.after_decided_s,
                    "tickets_per_alert": one.tickets_per_alert,
                }
                for one in self.campaigns
            ],
        }


def score(
    truth: Sequence[PlantedCampaign],
    alerts: Iterable[dict[str, Any]],
    feed_truth: Sequence[FeedTrouble] = (),
    from_ms: int = 0,
    rule_truth: Sequence[RuleDefect] = (),
) -> Score:
    """Judge the newest revision of every alert.

    An alert is on a campaign when at least MOSTLY of its tickets are the campaign's and it names at least
    INSTITUTIONS_MIN of the campaign's institutions. A joint alert on no campaign is a false alarm; one on a decoy is on
    none. Alerts on feeds are held against feed_truth, those on rules against rule_truth.
    from_ms: joint alerts raised before this event time are counted as run-in and judged no further.
    """
    on: dict[str, list[dict[str, Any]]] = {campaign.id: [] for campaign in truth}
    false_alarms: list[str] = []
    apart: dict[str, list[dict[str, Any]]] = {"local": [], "feed": [], "rule": []}
    retracted = on_campaigns = run_in = 0
    for alert in sorted(alerts, key=lambda alert: (str(alert["raised_at_event_time"]), alert["alert_id"])):
        if alert["status"] == "retracted":
            retracted += 1
            continue
        if alert["kind"] != "joint":
            apart[alert["kind"]].append(alert)
            continue
        if milliseconds(alert["raised_at_event_time"]) < from_ms:
            run_in += 1
            continue
        matched = [campaign.id for campaign in truth if is_on(campaign, alert)]
        for campaign_id in matched:
            on[campaign_id].append(alert)
        if matched:
            on_campaigns += 1
        else:
            false_alarms.append(alert["alert_id"])
    campaigns = tuple(_score_one(campaign, on[campaign.id]) for campaign in truth)
    found = sum(bool(one.alert_ids) for one in campaigns)
    return Score(
        campaigns,
        found,
        len(campaigns) - found,
        tuple(false_alarms),
        retracted,
        len(apart["local"]),
        on_campaigns,
        run_in,
        score_feeds(feed_truth, apart["feed"]),
        score_rules(rule_truth, apart["rule"]),
    )


def _of_kind(kind: str, campaigns: Sequence[CampaignScore]) -> KindScore:
    return KindScore(
        kind,
        planted=len(campaigns),
        found=sum(bool(one.alert_ids) for one in campaigns),
        alerts=len({name for one in campaigns for name in one.alert_ids}),
    )


def is_on(campaign: PlantedCampaign, alert: dict[str, Any]) -> bool:
    """Whether the alert is on the campaign: mostly its tickets, and at least two of its institutions."""
    tickets = set(alert["ticket_ids"])
    hits = tickets.intersection(campaign.ticket_ids)
    covered = set(alert["institutions"]).intersection(campaign.institutions)
    return bool(hits) and len(hits) >= MOSTLY * len(tickets) and len(covered) >= INSTITUTIONS_MIN


def _score_one(campaign: PlantedCampaign, alerts: Sequence[dict[str, Any]]) -> CampaignScore:
    raised_ms = milliseconds(alerts[0]["raised_at_event_time"]) if alerts else None
    covered = {institution for alert in alerts for institution in alert["institutions"]}
    return CampaignScore(
        campaign_id=campaign.id,
        kind=campaign.kind,
        title=campaign.title,
        alert_ids=tuple(alert["alert_id"] for alert in alerts),
        covered=len(covered.intersection(campaign.institutions)),
        of=len(campaign.institutions),
        after_first_s=None if raised_ms is None else (raised_ms - campaign.first_at_ms) / 1000,
        after_decided_s=None if raised_ms is None else (raised_ms - campaign.decided_at_ms) / 1000,
        tickets_per_alert=sum(len(alert["ticket_ids"]) for alert in alerts) / len(alerts) if alerts else 0.0,
    )
