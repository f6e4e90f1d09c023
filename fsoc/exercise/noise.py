"""Everyday findings of one institution: nothing here is part of a campaign, and no attacker's value is shared by two.

Harmless things are shared on purpose (victims' addresses, CVEs, tools, user agents, rule ids, techniques), for that is
what everyday life looks like in every institution at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from fsoc.exercise.finding import BROWSERS, Finding, asset, evidence, observable, process, windows
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.sector import Member

_SYSTEM32 = "C:\\Windows\\System32\\"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a finding plays: one institution, and what may be drawn for it. suppliers: those it has a contract with."""

    rng: Random
    fresh: Fresh
    member: Member
    suppliers: Sequence[str]

    def host(self, kind: str = "WS") -> str:
        return f"{self.member.hosts}-{kind}-{self.rng.randrange(1, 900):04d}"

    def user(self) -> str:
        return f"{self.member.hosts}\\u{self.rng.randrange(10_000, 99_999)}"

    def baseline(self, number: int) -> tuple[Literal["baseline"], str]:
        return "baseline", f"MB-{number:03d}"


def scan(scene: Scene) -> Finding:
    source, port = scene.fresh.ip(), scene.rng.choice((22, 23, 80, 443, 445, 1433, 3389, 8080, 8443))
    items = [
        evidence(
            {
                "src_ip": source,
                "dst_ip": scene.fresh.inside(),
                "dst_port": port,
                "action": "deny",
                "proto": "tcp",
                "count": scene.rng.randrange(20, 900),
            },
            category="firewall",
        )
        for _ in range(scene.rng.randrange(1, 4))
    ]
    return Finding(
        title=f"Port scan against the perimeter, port {port}",
        title_zh=f"邊界防火牆偵測到連接埠掃描（{port}）",
        text="The perimeter firewall dropped connection attempts of one source against several of our addresses. "
        "Nothing answered; the source was blocked for a day by the automatic list.",
        text_zh="邊界防火牆阻擋單一來源對多個對外位址之連線嘗試，無任何服務回應，已由自動名單封鎖一日，持續觀察。",
        category="information-gathering.scanner",
        severity=scene.rng.choice((1, 1, 1, 2)),
        confidence=90,
        attack=(("reconnaissance", "T1595.001"),),
        trigger=scene.baseline(11),
        evidence=items,
        observables=[observable("ipv4", source, "attacker", count=scene.rng.randrange(20, 900))]
        + [observable("ipv4", item["fields"]["dst_ip"], "victim") for item in items],
        assets=[asset("perimeter-fw", "network", 3, internet_facing=True)],
    )


def infected_host(scene: Scene) -> Finding:
    host, digest, domain = scene.host(), scene.fresh.sha256(), scene.fresh.domain()
    name = scene.rng.choice(("invoice", "payroll", "報價單", "shipment", "tax-form", "簽核通知"))
    return Finding(
        title=f"Malware stopped on {host}",
        title_zh=f"端點 {host} 攔截惡意程式",
        text="Endpoint protection stopped a file opened from a mail attachment. The host was isolated, its user "
        "called, the "
        "file sent for analysis. No further host asked for the same domain.",
        text_zh="端點防護攔截使用者由郵件附件開啟之檔案，主機已隔離並聯繫使用者，樣本送驗，"
        "經查無其他主機連線至相同網域。",
        category="malicious-code.infected-system",
        severity=scene.rng.choice((2, 2, 3)),
        attack=(("execution", "T1204.002"),),
        trigger=scene.baseline(23),
        evidence=[
            process(
                host,
                f"C:\\Users\\Public\\{name}.exe",
                f'"C:\\Users\\Public\\{name}.exe" /s',
                "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE",
                scene.user(),
                Hashes=f"SHA256={digest}",
            )
        ],
        observables=[observable("sha256", digest, "artefact"), observable("domain", domain, "infrastructure")],
        assets=[asset(host, "endpoint", 2)],
    )


def blocked_mail(scene: Scene) -> Finding:
    digest, sender = scene.fresh.sha256(), f"billing@{scene.fresh.domain()}"
    return Finding(
        title="Malicious attachment stopped at the mail gateway",
        title_zh="郵件閘道攔截惡意附件",
        text="The mail gateway held back a message with an attachment its sandbox judged to be a loader. No copy was "
        "delivered.",
        text_zh="郵件閘道沙箱判定附件為下載器，郵件已全數攔截，未投遞至使用者信箱，寄件來源已加入黑名單。",
        category="malicious-code.malware-distribution",
        severity=scene.rng.choice((1, 2, 2)),
        attack=(("initial_access", "T1566.001"),),
        trigger=scene.baseline(31),
        evidence=[
            evidence(
                {"sender": sender, "recipients": scene.rng.randrange(1, 30), "action": "quarantined", "sha256": digest},
                category="antivirus",
            )
        ],
        observables=[observable("sha256", digest, "artefact"), observable("email", sender, "attacker")],
        assets=[asset("mail-gateway", "email", 3, internet_facing=True)],
    )


def own_phishing(scene: Scene) -> Finding:
    domain = scene.fresh.domain()
    path = scene.rng.choice(("login/index.html", "secure/update", "m/verify.html", "account/otp", "point/redeem.php"))
    url = f"https://{domain}/{path}"
    return Finding(
        title=f"Look-alike page of our own brand: {domain}",
        title_zh=f"冒用本機構名義之網頁：{domain}",
        text="A customer reported a message with a link to a page that copies our brand. The take-down request was "
        "sent; our own "
        "proxy shows one visit and no credentials entered.",
        text_zh="客戶通報簡訊連結至仿冒本機構之網頁，已申請下架，內部代理伺服器僅見一次連線，未輸入帳密，"
        "已公告提醒客戶。",
        category="fraud.phishing",
        severity=scene.rng.choice((2, 2, 3)),
        attack=(("initial_access", "T1566.002"),),
        trigger=("manual", ""),
        evidence=[
            evidence(
                {
                    "c-uri": url,
                    "cs-host": domain,
                    "cs-method": "GET",
                    "c-useragent": scene.rng.choice(BROWSERS),
                    "sc-status": 200,
                },
                category="proxy",
            )
        ],
        observables=[observable("domain", domain, "infrastructure"), observable("url", url, "infrastructure")],
        assets=[asset("customer-mail", "email", 2, internet_facing=True)],
    )


def failed_admin_login(scene: Scene) -> Finding:
    host, source = scene.host("SRV"), scene.fresh.inside()
    account = scene.rng.choice(("administrator", "backup-op", "dba01", "netadm"))
    failures = scene.rng.randrange(6, 40)
    return Finding(
        title=f"Failed administrator log-ons on {host}",
        title_zh=f"{host} 管理者帳號登入失敗",
        text=f"{failures} failed log-ons of {account} within ten minutes from an administration network. The "
        "operator confirmed an "
        "expired password in a scheduled job; the job was corrected.",
        text_zh=f"十分鐘內帳號 {account} 自管理網段登入失敗 {failures} 次，經與維運人員確認為排程作業使用過期密碼，"
        "已修正排程設定。",
        category="intrusion-attempts.brute-force",
        severity=2,
        attack=(("credential_access", "T1110.001"),),
        trigger=scene.baseline(41),
        evidence=[
            evidence(
                windows(
                    4625, "Security", host, LogonType=3, TargetUserName=account, IpAddress=source, Status="0xC000006D"
                ),
                product="windows",
                service="security",
            )
        ],
        observables=[observable("ipv4", source, "victim")],
        assets=[asset(host, "server", 3)],
        volume={"failed_logins": failures, "successful_logins": 0, "distinct_accounts": 1},
    )


def small_brute_force(scene: Scene) -> Finding:
    source, failures, accounts = scene.fresh.ip(), scene.rng.randrange(8, 45), scene.rng.randrange(1, 6)
    agent = scene.rng.choice(BROWSERS)
    return Finding(
        title=f"Repeated log-on failures at internet banking from {source}",
        title_zh=f"網路銀行登入失敗次數異常（{source}）",
        text=f"{failures} failures on {accounts} accounts from one address within a quarter of an hour; the address "
        "was slowed down. "
        "No log-on succeeded.",
        text_zh=f"單一來源於十五分鐘內對 {accounts} 個帳號登入失敗 {failures} 次，已限制該來源連線速率，"
        "無登入成功紀錄。",
        category="intrusion-attempts.brute-force",
        severity=2,
        attack=(("credential_access", "T1110.003"),),
        trigger=scene.baseline(44),
        evidence=[
            evidence(
                {
                    "src_ip": source,
                    "user_agent": agent,
                    "result": "failure",
                    "failures": failures,
                    "distinct_accounts": accounts,
                },
                product="internet_banking",
                service="login",
            )
        ],
        observables=[observable("ipv4", source, "attacker"), observable("user_agent", agent, "artefact")]
        + [observable("account_token", scene.fresh.token(), "victim") for _ in range(accounts)],
        assets=[asset("ibank-login", "internet_banking", 5, core_system=True, internet_facing=True)],
        volume={"failed_logins": failures, "successful_logins": 0, "distinct_accounts": accounts},
    )


def policy(scene: Scene) -> Finding:
    host = scene.host()
    return Finding(
        title=f"Removable storage used on {host}",
        title_zh=f"{host} 使用未核准之可攜式儲存媒體",
        text="A storage device without approval was attached; the device control policy refused to mount it. The "
        "user's manager "
        "was informed by the usual form.",
        text_zh="偵測到使用者接入未核准之可攜式儲存媒體，裝置控管政策已阻擋掛載，依程序通知其單位主管並留存紀錄備查。",
        category="information-content-security.data-loss",
        severity=1,
        confidence=95,
        attack=(("exfiltration", "T1052.001"),),
        trigger=scene.baseline(52),
        evidence=[
            evidence(
                windows(
                    6416,
                    "Security",
                    host,
                    SubjectUserName=scene.user(),
                    DeviceDescription="USB Mass Storage Device",
                    ClassName="DiskDrive",
                ),
                product="windows",
                service="security",
            )
        ],
        assets=[asset(host, "endpoint", 1)],
    )


def admin_work(scene: Scene) -> Finding:
    host = scene.host("SRV")
    image, command = scene.rng.choice(
        (
            ("vssadmin.exe", "vssadmin list shadows"),
            ("wevtutil.exe", "wevtutil qe Security /c:5 /rd:true /f:text"),
            ("wbadmin.exe", "wbadmin get versions"),
            ("bcdedit.exe", "bcdedit /enum"),
            ("net.exe", 'net group "Domain Admins" /domain'),
            ("nltest.exe", "nltest /dclist:"),
        )
    )
    return Finding(
        title=f"Administration tool run on {host}: {image}",
        title_zh=f"{host} 執行系統管理工具 {image}",
        text="An administration tool was run outside the change window. The change manager confirmed an approved "
        "check of the "
        "nightly backups; nothing was altered.",
        text_zh="於非變更時段執行系統管理工具，經變更管理人員確認為夜間備份檢核作業，僅查詢未異動系統設定，予以結案。",
        category="intrusion-attempts.ids-alert",
        severity=1,
        confidence=40,
        attack=(("discovery", "T1082"),),
        trigger=scene.baseline(61),
        evidence=[process(host, _SYSTEM32 + image, command, _SYSTEM32 + "cmd.exe", scene.user())],
        assets=[asset(host, "server", 3)],
    )


def supplier_access(scene: Scene) -> Finding:
    if not scene.suppliers:
        return admin_work(scene)
    supplier, host, source = scene.rng.choice(scene.suppliers), scene.host("JMP"), scene.fresh.ip()
    return Finding(
        title=f"Supplier {supplier} worked outside its window",
        title_zh=f"委外廠商 {supplier} 於非約定時段連線",
        text="A supplier's remote maintenance session began before its agreed window. The session was recorded; the "
        "supplier's "
        "desk confirmed the technician and the work order.",
        text_zh="委外廠商遠端維護連線早於約定時段，連線過程已側錄，經廠商窗口確認人員身分與派工單號相符，"
        "提醒遵守約定時段。",
        category="intrusion-attempts.ids-alert",
        severity=scene.rng.choice((1, 2)),
        confidence=50,
        attack=(("initial_access", "T1199"),),
        trigger=scene.baseline(71),
        evidence=[
            evidence(
                windows(
                    4624,
                    "Security",
                    host,
                    LogonType=10,
                    TargetUserName=f"svc-{supplier.removeprefix('sup-')}",
                    IpAddress=source,
                ),
                product="windows",
                service="security",
            )
        ],
        observables=[observable("ipv4", source, "artefact")],
        assets=[asset(host, "server", 4)],
        suppliers=[
            {"supplier_id": supplier, "product": "remote-maintenance", "version": "4.2", "relation": "remote_access"}
        ],
    )


def vulnerability(scene: Scene) -> Finding:
    host, cve = scene.host("SRV"), f"CVE-2026-{20_000 + scene.rng.randrange(25)}"
    return Finding(
        title=f"{cve} found on {host}",
        title_zh=f"{host} 弱點掃描發現 {cve}",
        text="The weekly scan found a version the vendor has mended. The patch is planned for the next window; until "
        "then the "
        "service is reachable from inside only.",
        text_zh="每週弱點掃描發現未更新版本，修補作業已排入下次變更時段，期間該服務僅限內部網段連線，"
        "持續追蹤至修補完成。",
        category="vulnerable.vulnerable-system",
        severity=scene.rng.choice((1, 2, 2, 3)),
        confidence=95,
        unmapped="a weakness, not an act of an adversary",
        trigger=scene.baseline(81),
        evidence=[evidence({"host": host, "cve": cve, "state": "open"}, product="vulnerability_scanner")],
        observables=[observable("cve", cve, "artefact")],
        assets=[asset(host, "server", scene.rng.randrange(2, 5))],
    )


def atm_operation(scene: Scene) -> Finding:
    token = scene.fresh.hex(16)
    return Finding(
        title="ATM out of service after a cassette fault",
        title_zh="自動櫃員機鈔匣異常暫停服務",
        text="A machine reported a cassette fault and stopped paying out. The carrier's technician found a jammed "
        "note; the camera "
        "shows nobody at the cabinet.",
        text_zh="自動櫃員機回報鈔匣異常並停止提款服務，經保全與維護人員到場確認為卡鈔，調閱影像無人員開啟機櫃，"
        "已恢復服務。",
        category="availability.outage",
        severity=1,
        confidence=90,
        unmapped="a fault of equipment",
        trigger=("local", "atm-ops-7"),
        evidence=[
            evidence({"terminal": token, "event": "cassette_fault", "door": "closed"}, product="atm", service="xfs")
        ],
        observables=[observable("atm_id_token", token, "victim")],
        assets=[asset(f"atm-{token[:6]}", "atm", 3)],
        impact={"service_down": True, "downtime_s": scene.rng.randrange(600, 9000), "customers_affected": 0},
    )


def swift_operation(scene: Scene) -> Finding:
    return Finding(
        title="Payment message held for a second signature",
        title_zh="跨行匯款電文待覆核逾時",
        text="A payment message waited longer than allowed for its second signature. Operations released it after a "
        "call back to "
        "the branch; the beneficiary is known.",
        text_zh="跨行匯款電文等待第二人覆核逾時，作業單位回撥分行確認後放行，受款人為既有往來對象，無異常交易跡象。",
        category="other.other",
        severity=1,
        unmapped="an operational delay",
        trigger=("local", "swift-ops-3"),
        evidence=[
            evidence(
                {"message_type": "pacs.008", "state": "held", "waited_s": scene.rng.randrange(900, 5400)},
                product="swift",
            )
        ],
        assets=[asset("payment-gateway", "swift", 5, core_system=True)],
    )


# How often each comes up in an average institution. Every institution has its own taste on top (`Member.tastes`).
NOISES: tuple[tuple[Callable[[Scene], Finding], float], ...] = (
    (scan, 20),
    (infected_host, 9),
    (blocked_mail, 12),
    (own_phishing, 5),
    (failed_admin_login, 11),
    (small_brute_force, 9),
    (policy, 12),
    (admin_work, 6),
    (supplier_access, 3),
    (vulnerability, 9),
    (atm_operation, 5),
    (swift_operation, 4),
)
