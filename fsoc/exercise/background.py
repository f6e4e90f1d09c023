"""When everyday findings happen, and to whom. What they say is in `noise.py`, what becomes of them in `single.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from random import Random

from fsoc.exercise.calendar import day_factor
from fsoc.exercise.draft import Draft
from fsoc.exercise.finding import Finding, asset, evidence, observable
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.hubs import Hubs
from fsoc.exercise.noise import NOISES
from fsoc.exercise.scene import Scene
from fsoc.exercise.sector import Member
from fsoc.exercise.single import everyday_draft
from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, START_MS, WARM_UP_MS, ExerciseSpec

CLIENTS_PER_SUPPLIER = 2  # a supplier that three members name is a campaign, so everyday life stays below that
DDOS_GAP_HOURS = 3
BURSTING_SHARE = 0.6
BOASTS_SHARE = 0.15
WARM_UP_HOURS = WARM_UP_MS // HOUR_MS - 2
REDRAWN_MAX = 6


def everyday(
    rng: Random,
    fresh: Fresh,
    members: Sequence[Member],
    spec: ExerciseSpec,
    hubs: Hubs,
    suppliers: Mapping[str, Sequence[str]],
    count: int,
) -> list[Draft]:
    """`count` drafts, spread over the members by weight and over the hours by their habits."""
    drafts = []
    chosen = rng.choices(members, [member.weight for member in members], k=count)
    per_member = Counter(member.id for member in chosen)
    for member in members:
        scene = Scene(rng, fresh, member, suppliers[member.id])
        named: set[int] = set()
        for kind, hour in _moments(rng, member, spec, per_member[member.id]):
            finding = NOISES[kind][0](scene)
            if spec.has_past and hour < WARM_UP_HOURS and kind not in named:
                named.add(kind)
                hubs.name(finding)  # nothing that everybody meets all the time is new to a sector after two days
            else:
                hubs.perhaps(finding)
            at_ms = START_MS + hour * HOUR_MS + rng.randrange(HOUR_MS)
            drafts.append(everyday_draft(rng, member, finding, at_ms, prompt=spec.has_past and hour < WARM_UP_HOURS))
    return drafts


def _moments(rng: Random, member: Member, spec: ExerciseSpec, count: int) -> list[tuple[int, int]]:
    """`count` pairs of (kind, hour of the exercise).

    With a past: every kind is met within WARM_UP_HOURS, where there are tickets enough. A first line folds what
    repeats, so that an hour has few tickets of a kind; but the noisy write in bursts.
    """
    weights = list(accumulate(share * taste for (_, share), taste in zip(NOISES, member.tastes, strict=True)))
    hours = list(
        accumulate(
            member.hours[hour % 24] * day_factor(START_MS + hour * HOUR_MS, always_open=member.always_open)
            for hour in range(spec.hours)
        )
    )
    kinds = range(len(NOISES))
    most = 2 + 3 * count // (spec.hours * len(NOISES)) if spec.has_past else count
    taken: Counter[tuple[int, int]] = Counter()
    found: list[tuple[int, int]] = []

    def draw(until: int = spec.hours) -> int:
        return rng.choices(range(until), cum_weights=hours[:until])[0]

    for kind, hour in _bursts(rng, member, spec, weights, count):
        taken[kind, hour] += most
        found.append((kind, hour))
    for kind in rng.choices(kinds, cum_weights=weights, k=count - len(found)):
        hour = draw()
        for _ in range(REDRAWN_MAX):
            if taken[kind, hour] < most:
                break
            hour = draw()
        taken[kind, hour] += 1
        found.append((kind, hour))
    if spec.has_past:
        first = _first(found)
        unmet = [kind for kind in kinds if kind not in first]
        taken_first = set(first.values())
        spare = [index for index in range(len(found)) if index not in taken_first]
        for kind, index in zip(unmet, rng.sample(spare, min(len(unmet), len(spare))), strict=False):
            first[kind] = index
        for kind, index in first.items():
            if found[index][0] != kind or found[index][1] >= WARM_UP_HOURS:
                found[index] = (kind, draw(WARM_UP_HOURS))
    return found


def _first(found: Sequence[tuple[int, int]]) -> dict[int, int]:
    """By kind, the index of its earliest hour."""
    first: dict[int, int] = {}
    for index, (kind, hour) in enumerate(found):
        if kind not in first or hour < found[first[kind]][1]:
            first[kind] = index
    return first


def _bursts(
    rng: Random, member: Member, spec: ExerciseSpec, weights: Sequence[float], count: int
) -> Iterator[tuple[int, int]]:
    """Of the noisy only: a rule fires a few dozen times in an hour, every few hours."""
    left = int(count * BURSTING_SHARE) if member.noisy else 0
    while left > 0:
        size = min(left, rng.randrange(4, 30))
        left -= size
        (kind,) = rng.choices(range(len(NOISES)), cum_weights=weights)
        hour = rng.randrange(spec.hours)
        for _ in range(size):
            yield kind, hour


def alone(
    rng: Random, fresh: Fresh, members: Sequence[Member], spec: ExerciseSpec, waves_ms: Sequence[int]
) -> list[Draft]:
    """Grave things that strike one institution only: web shells days apart, and small floods hours apart.

    waves_ms: when waves of floods are planted; everyday floods keep hours away from them.
    """
    drafts = []
    shells = max(1, spec.hours // 120)
    for number, victim in enumerate(rng.sample(list(members), min(shells, len(members)))):
        part_ms = spec.hours * HOUR_MS // shells
        shell_at = START_MS + number * part_ms + rng.randrange(HOUR_MS, part_ms - HOUR_MS)
        drafts += [
            everyday_draft(rng, victim, finding, shell_at + step * 7 * MINUTE_MS)
            for step, finding in enumerate(_web_shell(rng, fresh))
        ]
    boastful = [member for member in members if member.inflates]
    longest = DDOS_GAP_HOURS + (8 if spec.has_past else 2)
    at_ms = START_MS + rng.randrange(HOUR_MS)
    while at_ms < spec.end_ms - HOUR_MS:
        victim = rng.choice(boastful) if boastful and rng.random() < BOASTS_SHARE else rng.choice(members)
        if all(abs(at_ms - wave_ms) > 2 * HOUR_MS for wave_ms in waves_ms):
            drafts.append(everyday_draft(rng, victim, _small_flood(rng, boasts=victim.inflates), at_ms))
        at_ms += rng.randrange(DDOS_GAP_HOURS * HOUR_MS, longest * HOUR_MS)
    return drafts


def contracts(rng: Random, members: Sequence[Member]) -> dict[str, list[str]]:
    """Which suppliers each member has; each supplier has at most CLIENTS_PER_SUPPLIER clients."""
    seats = [f"sup-{3_000 + number}" for number in range(len(members)) for _ in range(CLIENTS_PER_SUPPLIER)]
    rng.shuffle(seats)
    return {member.id: sorted({seats[2 * index], seats[2 * index + 1]}) for index, member in enumerate(members)}


def _web_shell(rng: Random, fresh: Fresh) -> list[Finding]:
    source, page = fresh.ip(), f"/upload/{fresh.name()}.aspx"
    return [
        Finding(
            title="Web shell used on a public server",
            title_zh="對外網站主機發現網頁後門",
            text="Requests to a page that no release contains ran commands on the server. The server was taken out "
            "of the pool and "
            "an image was kept; its neighbours show no such page.",
            text_zh="對外網站出現非版本內之網頁並遭用於執行系統指令，主機已自服務叢集移除並保留映像檔，"
            "其餘主機未見相同檔案。",
            category="intrusions.application-compromise",
            severity=4,
            confidence=90,
            attack=(("persistence", "T1505.003"), ("initial_access", "T1190")),
            trigger=("local", "web-204"),
            evidence=[
                evidence(
                    {
                        "c-ip": source,
                        "cs-method": "POST",
                        "cs-uri-stem": page,
                        "cs-uri-query": f"cmd={command}",
                        "sc-status": 200,
                    },
                    category="webserver",
                )
            ],
            observables=[observable("ipv4", source, "attacker")],
            assets=[asset("www-03", "server", 4, internet_facing=True)],
        )
        for command in rng.sample(("whoami", "ipconfig+/all", "net+user", "dir+c:\\inetpub"), rng.randrange(1, 4))
    ]


def _small_flood(rng: Random, *, boasts: bool) -> Finding:
    """boasts: the one that writes it claims more than any line of its carries, and holds it for grave."""
    sources, seconds = rng.randrange(40, 300), rng.randrange(120, 600)
    times = rng.randrange(2_000, 20_000) if boasts else 1
    return Finding(
        title="Short flood against one public service",
        title_zh="單一對外服務遭受短暫流量攻擊",
        text="The scrubbing service absorbed a short flood. Response times rose for a few minutes; no customer "
        "complained.",
        text_zh="流量清洗服務已吸收短暫異常流量，服務回應時間短暫上升數分鐘，未接獲客戶反映，持續監看中。",
        category="availability.ddos",
        severity=4 if boasts else 2,
        confidence=85,
        attack=(("impact", "T1498"),),
        trigger=("baseline", "MB-091"),
        assets=[asset("www", "server", 3, internet_facing=True)],
        volume={
            "count": 1,
            "distinct_sources": sources * times,
            "peak_bps": rng.randrange(20, 300) * 1_000_000 * times,
            "peak_pps": rng.randrange(10, 90) * 1_000 * times,
            "duration_s": seconds,
        },
    )
