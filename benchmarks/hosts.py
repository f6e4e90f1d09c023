"""What else a bank's hosts log: network, files, registry, modules, scripts, logons; Linux beside Windows. Benign."""

# ruff: noqa: E501 - a table is read as a table

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from benchmarks.processes import POWERSHELL, SECURITY, SYSMON, WORDS, fill, guid, hashes, header, time_of_day, user
from benchmarks.sources import Fields, Source

_IMAGES: Final = (
    r"C:\Windows\System32\svchost.exe",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE",
    r"C:\Program Files\CoreBank\Teller\TellerClient.exe",
    r"C:\Program Files\Endpoint Agent\agent.exe",
    r"C:\Windows\CCM\CcmExec.exe",
    r"C:\Program Files\Java\jdk-17\bin\java.exe",
)
_MODULES: Final = (
    "kernel32",
    "ucrtbase",
    "combase",
    "dxgi",
    "sspicli",
    "winmm",
    "propsys",
    "msctf",
    "uxtheme",
    "bcrypt",
)
_NAMES: Final = (
    "outlook.office365.com",
    "login.microsoftonline.com",
    "update.googleapis.com",
    "intranet.bank.example",
    "crl.ca.example",
)
_SCRIPTS: Final = (
    "Get-Service -Name {word} | Where-Object {{ $_.Status -eq 'Running' }} | Export-Csv D:\\ops\\{word}-{n}.csv",
    'param($Site)\n$items = Get-ChildItem -Path "D:\\ops\\{word}" -Filter *.log\nforeach ($item in $items) {{ $item.Length }}\nWrite-Output {n}',
    'function Get-{word}Status {{ param([int]$Branch) Get-Content "D:\\ops\\$Branch.json" | ConvertFrom-Json }}\nGet-{word}Status {n}',
    "$session = Get-Date; Set-Variable -Name {word} -Value {n}; Test-Path 'D:\\apps\\{word}'; # nightly\nStart-Sleep 5",
)
_KEYS: Final = (
    r"HKU\S-1-5-21-1004336348-1177238915-682003330-{n}\SOFTWARE\Microsoft\Office\16.0\Common\{word}\Value{n}",
    r"HKLM\SOFTWARE\CoreBank\Teller\Branches\{n}\{word}",
    r"HKLM\System\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{{{guid}}}\DhcpIPAddress",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Components\{hex}\{word}",
)
_FILES: Final = (
    r"C:\Users\u{n}\AppData\Local\Google\Chrome\User Data\Default\Cache\Cache_Data\f_{hex}",
    r"C:\Users\u{n}\AppData\Local\Microsoft\Outlook\RoamCache\Stream_{word}_2_{hex}.dat",
    r"C:\ProgramData\CoreBank\spool\{word}-{n}.spl",
    r"D:\apps\{word}\logs\{word}-{n}.log",
    r"C:\Windows\Prefetch\{word}.EXE-{hex}.pf",
)


def _windows(category: str, service: str = "sysmon") -> dict[str, str]:
    return {"product": "windows", "category": category, "service": service}


def _sysmon(event_id: int) -> Callable[[random.Random], Fields]:
    def stamp(draw: random.Random) -> Fields:
        return header(SYSMON, event_id, draw) | {
            "RuleName": "-",
            "UtcTime": time_of_day(draw)[:-4],
            "ProcessGuid": guid(draw),
            "ProcessId": draw.randrange(500, 30_000),
        }

    return stamp


def _connection(draw: random.Random) -> Fields:
    return {
        "Image": draw.choice(_IMAGES),
        "User": user(draw),
        "Protocol": "tcp",
        "Initiated": "true",
        "SourceIsIpv6": "false",
        "SourceIp": f"10.{draw.randrange(40)}.{draw.randrange(256)}.{draw.randrange(1, 255)}",
        "SourceHostname": f"WS{draw.randrange(2_000):04d}.bank.example",
        "SourcePort": draw.randrange(49_152, 65_535),
        "DestinationIsIpv6": "false",
        "DestinationIp": f"10.200.{draw.randrange(8)}.{draw.randrange(1, 255)}",
        "DestinationHostname": f"app{draw.randrange(90)}.bank.example",
        "DestinationPort": draw.choice((443, 443, 443, 389, 53)),
        "DestinationPortName": "https",
    }


def _file(draw: random.Random) -> Fields:
    return {
        "Image": draw.choice(_IMAGES),
        "TargetFilename": fill(draw.choice(_FILES), draw),
        "CreationUtcTime": "2026-03-02 08:00:00.000",
        "User": user(draw),
    }


def _value(draw: random.Random) -> Fields:
    return {
        "EventType": "SetValue",
        "Image": draw.choice(_IMAGES),
        "TargetObject": fill(draw.choice(_KEYS), draw),
        "Details": draw.choice((f"DWORD (0x{draw.randrange(4):08x})", "Binary Data", fill("{word} {n}", draw))),
        "User": user(draw),
    }


def _module(draw: random.Random) -> Fields:
    name = draw.choice(_MODULES)
    return {
        "Image": draw.choice(_IMAGES),
        "ImageLoaded": rf"C:\Windows\System32\{name}.dll",
        "FileVersion": "10.0.22621.3085 (WinBuild.160101.0800)",
        "Description": f"{name} library",
        "Product": "Microsoft® Windows® Operating System",
        "Company": "Microsoft Corporation",
        "OriginalFileName": f"{name}.dll",
        "Hashes": hashes(name),
        "Signed": "true",
        "Signature": "Microsoft Windows",
        "SignatureStatus": "Valid",
        "User": user(draw, interactive=draw.random() < 0.5),
    }


def _question(draw: random.Random) -> Fields:
    return {
        "QueryName": draw.choice((draw.choice(_NAMES), f"app{draw.randrange(90)}.bank.example")),
        "QueryStatus": "0",
        "QueryResults": f"::ffff:10.200.{draw.randrange(8)}.{draw.randrange(1, 255)};",
        "Image": draw.choice(_IMAGES),
        "User": user(draw),
    }


def _access(draw: random.Random) -> Fields:
    calls = "|".join(
        rf"C:\Windows\SYSTEM32\{draw.choice(_MODULES)}.dll+{draw.getrandbits(20):x}"
        for _ in range(draw.randrange(4, 12))
    )
    return {
        "SourceImage": draw.choice(_IMAGES),
        "TargetImage": draw.choice(_IMAGES),
        "GrantedAccess": draw.choice(("0x1000", "0x1400", "0x101000")),
        "CallTrace": calls,
        "SourceUser": user(draw),
        "TargetUser": user(draw),
    }


def _script(draw: random.Random) -> Fields:
    lines = "\n".join(fill(draw.choice(_SCRIPTS), draw) for _ in range(draw.randrange(1, 12)))
    return {
        "MessageNumber": 1,
        "MessageTotal": 1,
        "ScriptBlockText": lines,
        "Path": fill(r"D:\ops\{word}-{n}.ps1", draw),
    }


def _script_stamp(draw: random.Random) -> Fields:
    return header(POWERSHELL, 4104, draw) | {"ScriptBlockId": guid(draw)}


def _logon(draw: random.Random) -> Fields:
    return {
        "SubjectUserSid": "S-1-5-18",
        "SubjectUserName": f"WS{draw.randrange(2_000):04d}$",
        "SubjectDomainName": "BANK",
        "TargetUserSid": f"S-1-5-21-1004336348-1177238915-682003330-{draw.randrange(1_000, 2_000)}",
        "TargetUserName": f"u{draw.randrange(900):03d}",
        "TargetDomainName": "BANK",
        "LogonType": draw.choice((2, 3, 3, 3, 5, 7, 11)),
        "LogonProcessName": "Kerberos",
        "AuthenticationPackageName": "Kerberos",
        "WorkstationName": "-",
        "TransmittedServices": "-",
        "LmPackageName": "-",
        "KeyLength": 0,
        "ProcessName": "-",
        "IpAddress": f"10.{draw.randrange(40)}.{draw.randrange(256)}.{draw.randrange(1, 255)}",
        "ImpersonationLevel": "%%1833",
    }


def _logon_stamp(draw: random.Random) -> Fields:
    return header(SECURITY, 4624, draw) | {
        "SubjectLogonId": "0x3e7",
        "TargetLogonId": f"0x{draw.getrandbits(24):x}",
        "LogonGuid": guid(draw),
        "ProcessId": f"0x{draw.getrandbits(14):x}",
        "IpPort": str(draw.randrange(49_152, 65_535)),
    }


_COMMANDS: Final = (
    (
        "/usr/bin/java",
        "/usr/bin/java -Xmx4g -jar /opt/{word}/{word}.jar --spring.profiles.active=prod",
        "/usr/lib/systemd/systemd",
        "svc-{word}",
    ),
    ("/usr/sbin/nginx", "nginx: worker process", "/usr/sbin/nginx", "www-data"),
    ("/usr/bin/python3", "python3 /opt/{word}/manage.py run-job {word} --day {n}", "/usr/sbin/cron", "svc-{word}"),
    ("/usr/bin/rsync", "rsync -a --delete /srv/{word}/ backup{n}:/srv/{word}/", "/usr/bin/bash", "backup"),
    (
        "/usr/lib/postgresql/16/bin/postgres",
        "postgres: {word} {word} 10.200.1.{n}({n}) idle",
        "/usr/lib/postgresql/16/bin/postgres",
        "postgres",
    ),
    ("/usr/bin/gzip", "gzip -9 /var/log/{word}/{word}.{n}", "/usr/sbin/logrotate", "root"),
    (
        "/usr/lib/systemd/systemd-timesyncd",
        "/usr/lib/systemd/systemd-timesyncd",
        "/usr/lib/systemd/systemd",
        "systemd-timesync",
    ),
)


def _command(draw: random.Random) -> Fields:
    image, line, parent, who = draw.choice(_COMMANDS)
    return {
        "Image": image,
        "CommandLine": fill(line, draw),
        "CurrentDirectory": "/",
        "User": fill(who, draw),
        "TerminalSessionId": 0,
        "IntegrityLevel": "no level",
        "Hashes": "-",
        "ParentImage": parent,
        "ParentCommandLine": parent,
        "ParentUser": "root",
    }


def _linux_stamp(draw: random.Random) -> Fields:
    return {
        "EventID": 1,
        "Channel": "Linux-Sysmon/Operational",
        "Computer": f"lx{draw.randrange(300):03d}.bank.example",
        "UtcTime": time_of_day(draw)[:-4],
        "ProcessGuid": guid(draw),
        "ProcessId": draw.randrange(500, 30_000),
        "LogonId": "1000",
        "ParentProcessId": draw.randrange(1, 30_000),
    }


def _audit(draw: random.Random) -> Fields:
    word = draw.choice(WORDS)
    return {
        "type": "EXECVE",
        "argc": 3,
        "a0": draw.choice(("rsync", "gzip", "java", "nginx")),
        "a1": "-a",
        "a2": f"/srv/{word}/{draw.randrange(400)}",
        "exe": "/usr/bin/rsync",
        "comm": "rsync",
        "key": "exec",
    }


def _audit_stamp(draw: random.Random) -> Fields:
    return {
        "host": f"lx{draw.randrange(300):03d}.bank.example",
        "timestamp": time_of_day(draw),
        "sequence": draw.randrange(10_000_000),
        "pid": draw.randrange(500, 30_000),
        "ppid": draw.randrange(1, 30_000),
        "auid": 1000,
        "ses": draw.randrange(4_000),
    }


CONNECTION: Final = Source(_windows("network_connection"), _connection, _sysmon(3), 2_000)
FILE: Final = Source(_windows("file_event"), _file, _sysmon(11), 2_000)
REGISTRY: Final = Source(_windows("registry_set"), _value, _sysmon(13), 1_500)
MODULE: Final = Source(_windows("image_load"), _module, _sysmon(7), 1_000)
DNS_QUERY: Final = Source(_windows("dns_query"), _question, _sysmon(22), 800)
ACCESS: Final = Source(_windows("process_access"), _access, _sysmon(10), 800)
SCRIPT: Final = Source(_windows("ps_script", "powershell"), _script, _script_stamp, 300)
LOGON: Final = Source(_windows("authentication", "security"), _logon, _logon_stamp, 2_000)
LINUX_PROCESS: Final = Source(
    {"product": "linux", "category": "process_creation", "service": "sysmon"}, _command, _linux_stamp, 800
)
AUDITD: Final = Source({"product": "linux", "category": "audit", "service": "auditd"}, _audit, _audit_stamp, 600)
