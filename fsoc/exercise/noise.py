"""Everyday findings of one institution: nothing here is part of a campaign, and every attacker's value is new.

Harmless things are shared on purpose (victims' addresses, CVEs, tools, user agents, rule ids, techniques), for that is
what everyday life looks like in every institution at once. Values that everybody meets come on top (`hubs.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from fsoc.exercise.endpoint import encoded_script, far_logon, new_service, odd_name, web_probe
from fsoc.exercise.finding import BROWSERS, Finding, asset, evidence, observable, process, windows
from fsoc.exercise.scene import Scene
from fsoc.exercise.upkeep import admin_work, atm_operation, policy, supplier_access, swift_operation, vulnerability


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
    (new_service, 8),
    (encoded_script, 7),
    (web_probe, 10),
    (odd_name, 5),
    (far_logon, 5),
)
