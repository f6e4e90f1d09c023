"""Everyday findings that are no attack at all: rules broken, work done, gaps found, machines out of order."""

from __future__ import annotations

from fsoc.exercise.finding import Finding, asset, evidence, observable, process, windows
from fsoc.exercise.scene import Scene

_SYSTEM32 = "C:\\Windows\\System32\\"


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
