"""What ATT&CK advises against techniques: ids and names of mitigations. Pure data, of what our rules find most.

Names and relations are MITRE ATT&CK's: see `attack_mappings/NOTICE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

MITIGATIONS_MAX: Final = 8
"""That one statement names."""

NAMES: Final = {
    "M1015": ("Active Directory Configuration", "Active Directory 組態強化"),
    "M1016": ("Vulnerability Scanning", "弱點掃描"),
    "M1017": ("User Training", "使用者教育訓練"),
    "M1018": ("User Account Management", "使用者帳號管理"),
    "M1021": ("Restrict Web-Based Content", "限制網頁內容"),
    "M1022": ("Restrict File and Directory Permissions", "限制檔案與目錄權限"),
    "M1026": ("Privileged Account Management", "特權帳號管理"),
    "M1027": ("Password Policies", "密碼政策"),
    "M1028": ("Operating System Configuration", "作業系統組態"),
    "M1030": ("Network Segmentation", "網路分段"),
    "M1031": ("Network Intrusion Prevention", "網路入侵防禦"),
    "M1032": ("Multi-factor Authentication", "多因子驗證"),
    "M1035": ("Limit Access to Resource Over Network", "限制經網路存取資源"),
    "M1036": ("Account Use Policies", "帳號使用政策"),
    "M1037": ("Filter Network Traffic", "過濾網路流量"),
    "M1038": ("Execution Prevention", "執行防護"),
    "M1040": ("Behavior Prevention on Endpoint", "端點行為防護"),
    "M1042": ("Disable or Remove Feature or Program", "停用或移除功能或程式"),
    "M1043": ("Credential Access Protection", "憑證存取防護"),
    "M1047": ("Audit", "稽核"),
    "M1048": ("Application Isolation and Sandboxing", "應用程式隔離與沙箱"),
    "M1049": ("Antivirus/Antimalware", "防毒與反惡意程式"),
    "M1050": ("Exploit Protection", "漏洞利用防護"),
    "M1051": ("Update Software", "更新軟體"),
    "M1053": ("Data Backup", "資料備份"),
    "M1054": ("Software Configuration", "軟體組態"),
    "M1057": ("Data Loss Prevention", "資料外洩防護"),
}

OF: Final = {
    "T1003": ("M1015", "M1017", "M1026", "M1027", "M1028", "M1040", "M1043"),
    "T1005": ("M1057",),
    "T1021": ("M1018", "M1032", "M1035", "M1042"),
    "T1021.002": ("M1026", "M1027", "M1035", "M1037"),
    "T1041": ("M1031", "M1057"),
    "T1048": ("M1018", "M1022", "M1030", "M1031", "M1037", "M1057"),
    "T1059": ("M1021", "M1026", "M1038", "M1040", "M1042", "M1047", "M1049"),
    "T1068": ("M1038", "M1048", "M1050", "M1051"),
    "T1071": ("M1031", "M1037"),
    "T1078": ("M1015", "M1017", "M1018", "M1026", "M1027", "M1032", "M1036"),
    "T1090": ("M1031", "M1037"),
    "T1098": ("M1018", "M1026", "M1030", "M1032"),
    "T1105": ("M1031",),
    "T1110": ("M1018", "M1027", "M1032", "M1036"),
    "T1133": ("M1030", "M1032", "M1035", "M1042"),
    "T1136": ("M1026", "M1028", "M1030", "M1032"),
    "T1190": ("M1016", "M1026", "M1030", "M1048", "M1050", "M1051"),
    "T1195": ("M1016", "M1018", "M1051"),
    "T1199": ("M1018", "M1030", "M1032"),
    "T1204": ("M1017", "M1021", "M1031", "M1038", "M1040"),
    "T1485": ("M1018", "M1032", "M1053"),
    "T1486": ("M1040", "M1053"),
    "T1489": ("M1018", "M1022", "M1030"),
    "T1490": ("M1018", "M1028", "M1038", "M1053"),
    "T1498": ("M1037",),
    "T1499": ("M1037",),
    "T1505.003": ("M1018", "M1042"),
    "T1548": ("M1018", "M1022", "M1026", "M1028", "M1038", "M1047", "M1051"),
    "T1556": ("M1018", "M1026", "M1027", "M1028", "M1032", "M1047"),
    "T1565": ("M1022", "M1030", "M1053"),
    "T1566": ("M1017", "M1021", "M1031", "M1047", "M1049", "M1054"),
    "T1567": ("M1021", "M1057"),
    "T1569.002": ("M1022", "M1026", "M1040"),
    "T1621": ("M1017", "M1032", "M1036"),
    "T1657": ("M1017", "M1018"),
}


def mitigations(technique: str) -> list[tuple[str, str]]:
    """(id, name) of what helps against a technique; a sub-technique has its parent's where it has none of its own."""
    found = OF.get(technique) or OF.get(technique.partition(".")[0]) or ()
    return [(name, NAMES[name][0]) for name in found]


def advice(techniques: Iterable[str], of: Callable[[str], list[tuple[str, str]]] = mitigations) -> list[dict[str, Any]]:
    """Those that help against most of the techniques first, MITIGATIONS_MAX at most. of: asked for each technique."""
    against: dict[tuple[str, str], list[str]] = {}
    for technique in sorted(set(techniques)):
        for each in of(technique):
            against.setdefault(each, []).append(technique)
    ranked = sorted(against, key=lambda each: (-len(against[each]), each))[:MITIGATIONS_MAX]
    return [
        {"id": name, "name": text, "name_zh": NAMES.get(name, (text, text))[1], "techniques": against[name, text]}
        for name, text in ranked
    ]
