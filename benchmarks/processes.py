"""Process creation on a bank's Windows hosts, as Sysmon and the Security log tell it: office work, services, jobs. Benign."""

# ruff: noqa: E501 - a table is read as a table

from __future__ import annotations

import random
from typing import Final

from benchmarks.sources import Fields, Source

SYSMON: Final = "Microsoft-Windows-Sysmon/Operational"
SECURITY: Final = "Security"
POWERSHELL: Final = "Microsoft-Windows-PowerShell/Operational"
_PROVIDERS: Final = {
    SYSMON: ("Microsoft-Windows-Sysmon", "5770385F-C22A-43E0-BF4C-06F5698FFBD9"),
    SECURITY: ("Microsoft-Windows-Security-Auditing", "54849625-5478-4994-A5BA-3E3B0328C30D"),
    POWERSHELL: ("Microsoft-Windows-PowerShell", "A0C1853B-5C40-4B15-8766-3CF1C58F985A"),
}
_HOSTS: Final = 2_000
_USERS: Final = 900
_SYSTEM: Final = r"NT AUTHORITY\SYSTEM"

_SVCHOST: Final = r"C:\Windows\System32\svchost.exe"
_SERVICES: Final = r"C:\Windows\System32\services.exe"
_EXPLORER: Final = r"C:\Windows\explorer.exe"
_CHROME: Final = r"C:\Program Files\Google\Chrome\Application\chrome.exe"
_EDGE: Final = r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe"
_TEAMS: Final = r"C:\Program Files\WindowsApps\MSTeams_24215.1007.3082.1590_x64__8wekyb3d8bbwe\ms-teams.exe"
_OUTLOOK: Final = r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE"
_TELLER: Final = r"C:\Program Files\CoreBank\Teller\TellerClient.exe"
_AGENT: Final = r"C:\Program Files\Endpoint Agent\agent.exe"

# image, command line, parent, parent's command line, description, company, as a user rather than the system
_PROCESSES: Final = (
    (_SVCHOST, "{image} -k netsvcs -p -s {service}", _SERVICES, _SERVICES, "Host Process for Windows Services", "", False),
    (_SVCHOST, "{image} -k LocalServiceNetworkRestricted -p", _SERVICES, _SERVICES, "Host Process for Windows Services", "", False),
    (r"C:\Windows\System32\conhost.exe", r"\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1", _AGENT, '"{parent}" --service', "Console Window Host", "", False),
    (r"C:\Windows\System32\backgroundTaskHost.exe", '"{image}" -ServerName:CortanaUI.AppX{hex}.mca', _SVCHOST, "{parent} -k DcomLaunch -p", "Background Task Host", "", True),
    (r"C:\Windows\System32\RuntimeBroker.exe", "{image} -Embedding", _SVCHOST, "{parent} -k DcomLaunch -p", "Runtime Broker", "", True),
    (r"C:\Windows\System32\taskhostw.exe", "taskhostw.exe", _SVCHOST, "{parent} -k netsvcs -p -s Schedule", "Host Process for Windows Tasks", "", False),
    (r"C:\Windows\System32\SearchProtocolHost.exe", '"{image}" Global\\UsGthrFltPipeMssGthrPipe{n} 1 -2147483646', r"C:\Windows\System32\SearchIndexer.exe", "{parent} /Embedding", "Microsoft Windows Search Protocol Host", "", False),
    (r"C:\Windows\System32\audiodg.exe", "{image} 0x{n}", _SVCHOST, "{parent} -k LocalServiceNetworkRestricted -p", "Windows Audio Device Graph Isolation", "", False),
    (r"C:\Windows\System32\wbem\WmiPrvSE.exe", "{image} -secured -Embedding", _SVCHOST, "{parent} -k DcomLaunch -p", "WMI Provider Host", "", False),
    (_CHROME, '"{image}" --type=renderer --lang=zh-TW --device-scale-factor=1 --num-raster-threads=4 --renderer-client-id={n} --field-trial-handle={n},i,{n}', _CHROME, '"{parent}"', "Google Chrome", "Google LLC", True),
    (_CHROME, '"{image}" --type=utility --utility-sub-type=network.mojom.NetworkService --lang=zh-TW --service-sandbox-type=none', _CHROME, '"{parent}"', "Google Chrome", "Google LLC", True),
    (_EDGE, '"{image}" --type=renderer --lang=zh-TW --js-flags=--ms-user-locale= --renderer-client-id={n} --field-trial-handle={n}', _EDGE, '"{parent}" --single-argument https://intranet.bank.example/{word}', "Microsoft Edge", "Microsoft Corporation", True),
    (_EDGE, '"{image}" --single-argument https://intranet.bank.example/{word}/{n}', _EXPLORER, r"C:\Windows\Explorer.EXE", "Microsoft Edge", "Microsoft Corporation", True),
    (_TEAMS, '"{image}" --type=gpu-process --field-trial-handle={n}', _TEAMS, '"{parent}"', "Microsoft Teams", "Microsoft", True),
    (_OUTLOOK, '"{image}" ', _EXPLORER, r"C:\Windows\Explorer.EXE", "Microsoft Outlook", "Microsoft Corporation", True),
    (r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE", '"{image}" "H:\\{word}\\{word}-{n}.xlsx"', _EXPLORER, r"C:\Windows\Explorer.EXE", "Microsoft Excel", "Microsoft Corporation", True),
    (r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE", '"{image}" /n "H:\\{word}\\{word} {n}.docx" /o ""', _EXPLORER, r"C:\Windows\Explorer.EXE", "Microsoft Word", "Microsoft Corporation", True),
    (r"C:\Program Files\Adobe\Acrobat DC\Acrobat\Acrobat.exe", '"{image}" "H:\\{word}\\{word}-{n}.pdf"', _OUTLOOK, '"{parent}" ', "Adobe Acrobat", "Adobe Systems Incorporated", True),
    (_TELLER, '"{image}" /branch:{n} /screen:{word}', _EXPLORER, r"C:\Windows\Explorer.EXE", "Teller", "CoreBank", True),
    (r"C:\Program Files\CoreBank\Teller\Print.exe", '"{image}" -form {word} -copies 1', _TELLER, '"{parent}" /branch:{n}', "Print", "CoreBank", True),
    (_AGENT, '"{image}" --scan quick --job {hex}', _SERVICES, _SERVICES, "Endpoint Agent", "Endpoint Inc.", False),
    (r"C:\Windows\System32\msiexec.exe", "{image} /V", _SERVICES, _SERVICES, "Windows installer", "", False),
    (r"C:\Program Files\Windows Defender\MpCmdRun.exe", '"{image}" SignatureUpdate -ScheduleJob -RestrictPrivileges', _SVCHOST, "{parent} -k netsvcs -p -s Schedule", "Microsoft Malware Protection Command Line Utility", "", False),
    (r"C:\Windows\System32\cmd.exe", r'C:\Windows\system32\cmd.exe /c ""C:\Program Files\CoreBank\jobs\{word}.cmd" {n}"', r"C:\Program Files\CoreBank\jobs\Scheduler.exe", '"{parent}"', "Windows Command Processor", "", False),
    (r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe", r'powershell.exe -NoLogo -File "C:\Program Files\Management\{word}.ps1" -Site {n}', r"C:\Program Files\Management\Runner.exe", '"{parent}" /run', "Windows PowerShell", "", False),
    (r"C:\Windows\CCM\CcmExec.exe", "{image}", _SERVICES, _SERVICES, "Host Process for Microsoft Configuration Manager", "", False),
    (r"C:\Windows\System32\dllhost.exe", "{image} /Processid:{{{guid}}}", _SVCHOST, "{parent} -k DcomLaunch -p", "COM Surrogate", "", True),
    (r"C:\Program Files\Java\jdk-17\bin\java.exe", '"{image}" -Xmx2g -Dapp.id={word} -jar D:\\apps\\{word}\\{word}-1.{n}.jar', r"D:\apps\launcher\prunsrv.exe", '"{parent}" //RS//{word}', "OpenJDK Platform binary", "Eclipse Adoptium", False),
    (r"C:\Program Files\Microsoft SQL Server\MSSQL16.MSSQLSERVER\MSSQL\Binn\sqlservr.exe", '"{image}" -sMSSQLSERVER', _SERVICES, _SERVICES, "SQL Server Windows NT", "Microsoft Corporation", False),
    (r"C:\Program Files\7-Zip\7zFM.exe", '"{image}" "H:\\{word}\\{word}-{n}.zip"', _EXPLORER, r"C:\Windows\Explorer.EXE", "7-Zip File Manager", "Igor Pavlov", True),
)  # fmt: skip
WORDS: Final = (
    "ledger", "branch", "teller", "audit", "policy", "archive", "forex", "loans", "cards", "treasury", "payroll", "report",
    "settlement", "compliance", "deposit", "mortgage", "swift", "clearing", "insurance", "custody", "vendor", "budget",
)  # fmt: skip
_SERVICE_NAMES: Final = (
    "Schedule",
    "Winmgmt",
    "gpsvc",
    "ProfSvc",
    "UsoSvc",
    "BITS",
    "wuauserv",
    "LanmanServer",
    "Themes",
    "SENS",
)


def fill(text: str, draw: random.Random, image: str = "", parent: str = "") -> str:
    return text.format(
        image=image,
        parent=parent,
        word=draw.choice(WORDS),
        n=draw.randrange(1, 400),
        service=draw.choice(_SERVICE_NAMES),
        hex=f"{draw.getrandbits(48):012x}",
        guid=guid(draw),
    )


def guid(draw: random.Random) -> str:
    text = f"{draw.getrandbits(128):032X}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def time_of_day(draw: random.Random) -> str:
    return f"2026-03-02T{draw.randrange(24):02d}:{draw.randrange(60):02d}:{draw.randrange(60):02d}.{draw.randrange(1_000_000):06d}Z"


def user(draw: random.Random, *, interactive: bool = True) -> str:
    return rf"BANK\u{draw.randrange(_USERS):03d}" if interactive else _SYSTEM


def hashes(image: str) -> str:
    seeded = random.Random(image)
    return f"MD5={seeded.getrandbits(128):032X},SHA256={seeded.getrandbits(256):064X},IMPHASH={seeded.getrandbits(128):032X}"


def header(channel: str, event_id: int, draw: random.Random) -> Fields:
    provider, guid = _PROVIDERS[channel]
    return {
        "Provider_Name": provider,
        "Provider_Guid": guid,
        "EventID": event_id,
        "Version": 3,
        "Level": 4,
        "Task": event_id,
        "Opcode": 0,
        "Keywords": "0x8000000000000000",
        "TimeCreated_SystemTime": time_of_day(draw),
        "EventRecordID": draw.randrange(10_000_000),
        "Execution_ProcessID": draw.randrange(500, 9_000),
        "Execution_ThreadID": draw.randrange(500, 9_000),
        "Channel": channel,
        "Computer": f"WS{draw.randrange(_HOSTS):04d}.bank.example",
        "Security_UserID": "S-1-5-18",
    }


def _process_shape(draw: random.Random) -> Fields:
    image, command, parent, parent_command, description, company, interactive = draw.choice(_PROCESSES)
    who = user(draw, interactive=interactive)
    return {
        "Image": image,
        "FileVersion": "10.0.22621.3085 (WinBuild.160101.0800)",
        "Description": description,
        "Product": "Microsoft® Windows® Operating System" if not company else description,
        "Company": company or "Microsoft Corporation",
        "OriginalFileName": image.rpartition("\\")[2],
        "CommandLine": fill(command, draw, image, parent),
        "CurrentDirectory": "C:\\Windows\\system32\\" if not interactive else "H:\\",
        "User": who,
        "TerminalSessionId": int(interactive),
        "IntegrityLevel": "Medium" if interactive else "System",
        "Hashes": hashes(image),
        "ParentImage": parent,
        "ParentCommandLine": fill(parent_command, draw, parent, parent),
        "ParentUser": who,
    }


def _process_stamp(draw: random.Random) -> Fields:
    return header(SYSMON, 1, draw) | {
        "RuleName": "-",
        "UtcTime": time_of_day(draw)[:-4],
        "ProcessGuid": guid(draw),
        "ProcessId": draw.randrange(500, 30_000),
        "LogonGuid": guid(draw),
        "LogonId": f"0x{draw.getrandbits(24):x}",
        "ParentProcessGuid": guid(draw),
        "ParentProcessId": draw.randrange(500, 30_000),
    }


def _created_shape(draw: random.Random) -> Fields:
    image, command, parent, _, _, _, interactive = draw.choice(_PROCESSES)
    return {
        "SubjectUserSid": f"S-1-5-21-1004336348-1177238915-682003330-{draw.randrange(1_000, 2_000)}",
        "SubjectUserName": f"u{draw.randrange(_USERS):03d}",
        "SubjectDomainName": "BANK",
        "NewProcessName": image,
        "TokenElevationType": "%%1938",
        "CommandLine": fill(command, draw, image, parent),
        "TargetUserSid": "S-1-0-0",
        "TargetUserName": "-",
        "TargetDomainName": "-",
        "ParentProcessName": parent,
        "MandatoryLabel": "S-1-16-8192" if interactive else "S-1-16-16384",
    }


def _created_stamp(draw: random.Random) -> Fields:
    return header(SECURITY, 4688, draw) | {
        "SubjectLogonId": f"0x{draw.getrandbits(24):x}",
        "NewProcessId": f"0x{draw.getrandbits(14):x}",
        "ProcessId": f"0x{draw.getrandbits(14):x}",
        "TargetLogonId": "0x0",
    }


SYSMON_CREATION: Final = Source(
    {"product": "windows", "category": "process_creation", "service": "sysmon"}, _process_shape, _process_stamp, 2_000
)
SECURITY_CREATION: Final = Source(
    {"product": "windows", "category": "process_creation", "service": "security"}, _created_shape, _created_stamp, 1_000
)
