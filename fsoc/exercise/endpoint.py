"""Everyday findings of endpoints, identities and names looked up: what every institution's own tools write."""

from __future__ import annotations

from fsoc.exercise.finding import BROWSERS, Finding, asset, evidence, observable, process, windows
from fsoc.exercise.scene import Scene

_SYSTEM32 = "C:\\Windows\\System32\\"


def new_service(scene: Scene) -> Finding:
    host = scene.host()
    name = scene.rng.choice(("AssetAgent", "PrintSpool2", "VpnHelper", "BackupClient", "InventorySvc"))
    return Finding(
        title=f"Service installed on {host}: {name}",
        title_zh=f"端點 {host} 安裝新服務 {name}",
        text="Endpoint detection saw a service being installed. The software list names it; the package came from the "
        "institution's own distribution point.",
        text_zh="端點偵測回報新服務安裝，經比對核准軟體清單相符，安裝來源為本機構軟體派送主機，予以結案。",
        category="intrusion-attempts.ids-alert",
        severity=1,
        confidence=30,
        attack=(("persistence", "T1543.003"),),
        trigger=scene.baseline(151),
        evidence=[
            evidence(
                windows(7045, "System", host, ServiceName=name, StartType="auto start"),
                product="windows",
                service="system",
            )
        ],
        assets=[asset(host, "endpoint", 2)],
    )


def encoded_script(scene: Scene) -> Finding:
    host = scene.host("SRV")
    job = scene.rng.choice(("Get-InventoryReport", "Sync-Mailbox", "Test-Backup", "Export-AccessList"))
    return Finding(
        title=f"Encoded script run on {host}",
        title_zh=f"{host} 執行編碼腳本",
        text="A scheduled job of system operations starts its script encoded. The job is known; the rule has been told "
        "so before.",
        text_zh="系統維運排程作業以編碼方式啟動腳本，屬既有核准作業，規則例外清單將再行檢視。",
        category="intrusion-attempts.ids-alert",
        severity=scene.rng.choice((1, 2)),
        confidence=40,
        attack=(("execution", "T1059.001"),),
        trigger=scene.baseline(152),
        evidence=[
            process(
                host,
                _SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe",
                f"powershell.exe -NoProfile -File D:\\jobs\\{job}.ps1",
                _SYSTEM32 + "svchost.exe",
                scene.user(),
            )
        ],
        assets=[asset(host, "server", 3)],
    )


def web_probe(scene: Scene) -> Finding:
    source = scene.fresh.ip()
    path = scene.rng.choice(("/.env", "/wp-login.php", "/solr/admin", "/actuator/health", "/cgi-bin/luci"))
    return Finding(
        title=f"Exploit attempt stopped by the web application firewall: {path}",
        title_zh=f"網站應用程式防火牆阻擋弱點利用嘗試：{path}",
        text="The web application firewall refused requests for a product that we do not run. The source was blocked "
        "for a day.",
        text_zh="網站應用程式防火牆阻擋針對非本機構使用產品之弱點探測請求，來源已自動封鎖一日。",
        category="intrusion-attempts.exploit",
        severity=scene.rng.choice((1, 1, 2)),
        confidence=85,
        attack=(("initial_access", "T1190"),),
        trigger=scene.baseline(121),
        evidence=[
            evidence(
                {
                    "c-ip": source,
                    "cs-method": "GET",
                    "cs-uri-stem": path,
                    "sc-status": 403,
                    "cs-user-agent": scene.rng.choice(BROWSERS),
                },
                category="webserver",
            )
        ],
        observables=[observable("ipv4", source, "attacker", count=scene.rng.randrange(1, 60))],
        assets=[asset("www", "server", 3, internet_facing=True)],
    )


def odd_name(scene: Scene) -> Finding:
    host, domain = scene.host(), scene.fresh.domain()
    return Finding(
        title=f"Name of a dynamic DNS service looked up by {host}",
        title_zh=f"{host} 查詢動態 DNS 網域",
        text="A workstation asked for a name of a dynamic DNS service. It belongs to the camera of a branch office's "
        "car park; the branch was asked to have it changed.",
        text_zh="工作站查詢動態 DNS 網域，經查為分行停車場監視設備所用，已請分行改善設備設定。",
        category="intrusion-attempts.ids-alert",
        severity=scene.rng.choice((1, 2)),
        confidence=40,
        attack=(("command_and_control", "T1071.004"),),
        trigger=scene.baseline(161),
        evidence=[evidence({"QueryName": domain, "QueryStatus": "0", "Computer": host}, category="dns_query")],
        observables=[observable("domain", domain, "artefact")],
        assets=[asset(host, "network", 2)],
    )


def far_logon(scene: Scene) -> Finding:
    user = scene.user()
    return Finding(
        title="Log-on to a cloud service from two countries within an hour",
        title_zh="雲端服務帳號一小時內自兩國登入",
        text="One account was used from two countries within an hour. Its owner was travelling with a private network "
        "switched on; a second factor had been given both times.",
        text_zh="同一帳號一小時內自兩國登入雲端服務，經洽本人確認為出差期間使用 VPN，兩次均通過雙因子驗證。",
        category="intrusion-attempts.ids-alert",
        severity=2,
        confidence=40,
        attack=(("initial_access", "T1078.004"),),
        trigger=scene.baseline(131),
        evidence=[
            evidence(
                {"UserPrincipalName": user, "ResultType": 0, "AuthenticationRequirement": "multiFactorAuthentication"},
                product="azure",
                service="signinlogs",
            )
        ],
        observables=[observable("account_token", scene.fresh.token(), "victim")],
        assets=[asset("cloud-identity", "identity", 4)],
    )
