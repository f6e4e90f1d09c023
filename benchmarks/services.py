"""What a bank's services and appliances log: proxy, DNS, firewall, cloud, identity, web servers, syslog. Benign."""

# ruff: noqa: E501 - a table is read as a table

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from benchmarks.processes import fill, guid, time_of_day
from benchmarks.sources import Fields, Source

_AGENTS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "BankApp/7.4.1 (Android 14; SM-S921B) okhttp/4.12.0",
)
_HOSTS: Final = (
    "www.office.com",
    "teams.microsoft.com",
    "www.bank.example",
    "news.site.example",
    "cdn.vendor.example",
    "api.rates.example",
)


def _address(draw: random.Random) -> str:
    return f"10.{draw.randrange(40)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"


def received(draw: random.Random) -> Fields:
    return {
        "timestamp": time_of_day(draw),
        "collector": f"c{draw.randrange(4)}",
        "sequence": draw.randrange(10_000_000),
    }


def _proxy(draw: random.Random) -> Fields:
    host = draw.choice(_HOSTS)
    path = fill("/{word}/{word}-{n}", draw)
    query = fill("id={n}&lang=zh-TW", draw)
    return {
        "c-ip": _address(draw),
        "cs-username": f"u{draw.randrange(900):03d}",
        "cs-method": draw.choice(("GET", "GET", "GET", "POST", "CONNECT")),
        "c-uri": f"https://{host}{path}?{query}",
        "cs-uri": f"https://{host}{path}?{query}",
        "c-uri-query": query,
        "c-uri-extension": "-",
        "cs-host": host,
        "cs-version": "HTTP/1.1",
        "c-useragent": draw.choice(_AGENTS),
        "sc-status": draw.choice((200, 200, 200, 304, 404)),
        "sc-bytes": draw.randrange(200, 90_000),
        "r-dns": host,
        "dst_ip": f"203.0.113.{draw.randrange(1, 255)}",
    }


def _name(draw: random.Random) -> Fields:
    name = draw.choice((draw.choice(_HOSTS), fill("{word}{n}.bank.example", draw)))
    return {
        "id.orig_h": _address(draw),
        "id.resp_h": "10.200.0.53",
        "id.resp_p": 53,
        "proto": "udp",
        "query": name,
        "record_type": draw.choice(("A", "A", "AAAA", "HTTPS")),
        "qtype_name": "A",
        "rcode_name": "NOERROR",
        "AA": False,
        "RD": True,
        "Z": 0,
        "answer": f"10.200.{draw.randrange(8)}.{draw.randrange(1, 255)}",
        "rejected": False,
    }


def _name_stamp(draw: random.Random) -> Fields:
    return {
        "ts": time_of_day(draw),
        "uid": f"C{draw.getrandbits(80):020x}",
        "trans_id": draw.randrange(65_536),
        "id.orig_p": draw.randrange(49_152, 65_535),
    }


def _denied(draw: random.Random) -> Fields:
    return {
        "src_ip": f"198.18.{draw.randrange(256)}.{draw.randrange(1, 255)}",
        "dst_ip": f"192.0.2.{draw.randrange(1, 255)}",
        "dst_port": draw.choice((22, 23, 445, 1433, 3389, 8443)),
        "action": draw.choice(("denied", "denied", "accept")),
        "protocol": "tcp",
        "policy": f"edge-{draw.randrange(40)}",
        "bytes": draw.randrange(40, 1_500),
        "zone": "untrust",
    }


_CALLS: Final = (
    ("ec2.amazonaws.com", "DescribeInstances"),
    ("s3.amazonaws.com", "GetObject"),
    ("sts.amazonaws.com", "AssumeRole"),
    ("kms.amazonaws.com", "Decrypt"),
    ("logs.amazonaws.com", "PutLogEvents"),
)


def _call(draw: random.Random) -> Fields:
    source, name = draw.choice(_CALLS)
    role = fill("{word}-service", draw)
    return {
        "eventVersion": "1.09",
        "eventSource": source,
        "eventName": name,
        "awsRegion": "ap-northeast-1",
        "sourceIPAddress": _address(draw),
        "userAgent": "aws-sdk-java/2.25.60 Linux/6.1 Java/17.0.11",
        "eventType": "AwsApiCall",
        "recipientAccountId": "123456789012",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::123456789012:assumed-role/{role}/i-{draw.getrandbits(40):010x}",
            "accountId": "123456789012",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "userName": role},
                "attributes": {"mfaAuthenticated": "false"},
            },
        },
        "requestParameters": {"bucketName": fill("bank-{word}", draw), "key": fill("{word}/{n}.json", draw)},
        "responseElements": None,
        "readOnly": True,
    }


def _call_stamp(draw: random.Random) -> Fields:
    return {"eventTime": time_of_day(draw), "eventID": guid(draw), "requestID": guid(draw)}


def _signin(draw: random.Random) -> Fields:
    return {
        "operationName": "Sign-in activity",
        "Category": "SignInLogs",
        "ResultType": 0,
        "ResultDescription": "",
        "userPrincipalName": f"u{draw.randrange(900):03d}@bank.example",
        "AppDisplayName": draw.choice(("Office 365 Exchange Online", "Microsoft Teams", "Core Banking")),
        "ResourceDisplayName": "Microsoft Graph",
        "ClientAppUsed": "Browser",
        "AuthenticationRequirement": "multiFactorAuthentication",
        "ConditionalAccessStatus": "success",
        "userAgent": draw.choice(_AGENTS),
        "DeviceDetail": {
            "deviceId": guid(draw),
            "operatingSystem": "Windows 10",
            "trusttype": "Hybrid Azure AD joined",
        },
        "NetworkLocationDetails": '[{"networkType":"trustedNamedLocation","networkNames":["Branches"]}]',
        "RiskState": "none",
        "Location": "TW",
        "IPAddress": _address(draw),
    }


def _signin_stamp(draw: random.Random) -> Fields:
    return {"TimeGenerated": time_of_day(draw), "CorrelationId": guid(draw), "Id": guid(draw)}


def _request(draw: random.Random) -> Fields:
    return {
        "c-ip": f"198.18.{draw.randrange(256)}.{draw.randrange(1, 255)}",
        "cs-method": draw.choice(("GET", "GET", "POST")),
        "cs-uri-stem": fill("/{word}/{word}", draw),
        "cs-uri-query": fill("page={n}&sort={word}", draw),
        "cs-referer": fill("https://www.bank.example/{word}", draw),
        "cs-user-agent": draw.choice(_AGENTS),
        "cs-host": "www.bank.example",
        "sc-status": draw.choice((200, 200, 302, 404)),
        "sc-bytes": draw.randrange(200, 90_000),
    }


# program, message
_MESSAGES: Final = (
    ("sshd", "sshd[{n}]: Accepted publickey for svc-{word} from 10.200.1.{n} port 5{n} ssh2: ED25519 SHA256:{hex}"),
    ("systemd", "systemd[1]: Started Session {n} of User svc-{word}."),
    ("CRON", "CRON[{n}]: (svc-{word}) CMD (/opt/{word}/bin/nightly --day {n} >/dev/null)"),
    ("kernel", "kernel: [{n}.{n}] IN=eth0 OUT= MAC=02:42:ac:11 SRC=10.200.1.{n} DST=10.200.2.{n} LEN=60 PROTO=TCP SPT=5{n} DPT=443 SYN"),
    ("nginx", 'nginx: 10.200.3.{n} - - "GET /{word}/{n} HTTP/1.1" 200 {n} "https://www.bank.example/{word}" "BankApp/7.4.1"'),
    ("postfix", "postfix/smtp[{n}]: {hex}: to=<{word}@bank.example>, relay=mx1.bank.example[10.200.4.{n}]:25, delay=0.3, status=sent (250 OK)"),
    ("java", "java[{n}]: INFO c.bank.{word}.Worker - batch {hex} of {word} done in {n} ms, {n} rows, next at 02:00"),
    ("chronyd", "chronyd[{n}]: Selected source 10.200.0.{n}"),
)  # fmt: skip
_TROUBLE_SHARE: Final = 0.03
"""The share of shapes that say something rules of keywords ask for."""
_TROUBLE: Final = (
    ("named", "named[{n}]: client 10.200.1.{n}#5{n}: zone {word}.bank.example denied AXFR from 198.18.0.{n}"),
    ("named", "named[{n}]: exiting (due to fatal error)"),
    ("sudo", "sudo: svc-{word} : TTY=pts/{n} ; COMMAND=/bin/sh -c cat /dev/null >/root/.bash_history"),
)
# product, category, service, logger, message, and one that rules ask for: of applications whose rules are keywords
_LOGGED: Final = (
    ("django", "application", "other", "django.request", "INFO GET /{word}/{n} 200 [0.{n}, 10.200.1.{n}]", "Invalid HTTP_HOST header: DisallowedHost at /{word} from 10.200.1.{n}"),
    ("python", "application", "other", "celery.worker", "Task {word}.refresh[{hex}] succeeded in 0.{n}s: None", "Task {word}.refresh[{hex}] raised DataError(value too long for type {n})"),
    ("spring", "application", "other", "o.s.web.servlet", "Completed 200 OK for GET /api/{word}/{n}, parameters=(masked)", "Access is denied: AccessDeniedException for user svc-{word} at /api/{n}"),
    ("jvm", "application", "other", "c.bank.batch", "Job {word} step {n} completed; heap 512M of 2048M used", "Job {word} failed: java.lang.RuntimeException: Cannot run program /opt/{word}/{n}"),
    ("sql", "application", "other", "postgres", "LOG: duration: {n}.1 ms statement: SELECT id, amount FROM {word} WHERE branch = {n}", "ERROR: You have an error in your SQL syntax near {word} at line {n}"),
    ("ruby_on_rails", "application", "other", "rails", "Completed 200 OK in {n}ms (Views: 3.2ms | ActiveRecord: {n}ms) {word}", "ActionController::InvalidAuthenticityToken in {word}#{n}"),
    ("cisco", "other", "aaa", "tacacs", "admin-{n} show interfaces status | include {word}", "admin-{n} show running-config | include {word}"),
    ("linux", "other", "sshd", "sshd", "Accepted publickey for svc-{word} from 10.200.1.{n} port 5{n} ssh2", "error: unexpected internal error while handling svc-{word} port {n}"),
    ("linux", "other", "vsftpd", "vsftpd", 'OK DOWNLOAD: Client "10.200.1.{n}", "/srv/{word}/{n}.csv", {n} bytes', "Connection refused: too many sessions for this address. 10.200.1.{n} {word}"),
    ("linux", "other", "clamav", "clamd", "/srv/{word}/{n}.pdf: OK", "/srv/{word}/{n}.pdf: Trojan.Generic-{n} FOUND"),
    ("windows", "other", "application", "MSSQLSERVER", "Log was backed up. Database: {word}, number of dump devices: 1, file {n}", "Adfind hacktool found in {word} by scan {n}"),
)  # fmt: skip


def _message(draw: random.Random) -> Fields:
    program, text = draw.choice(_TROUBLE if draw.random() < _TROUBLE_SHARE else _MESSAGES)
    when = f"Mar  2 {draw.randrange(24):02d}:{draw.randrange(60):02d}:{draw.randrange(60):02d}"
    return {
        "message": f"<{draw.randrange(30, 190)}>{when} lx{draw.randrange(300):03d} {fill(text, draw)}",
        "program": program,
    }


def _only_message(draw: random.Random) -> Fields:
    return {"message": _message(draw)["message"]}


def _logged(logger: str, text: str, trouble: str) -> Callable[[random.Random], Fields]:
    def shape(draw: random.Random) -> Fields:
        said = fill(trouble if draw.random() < _TROUBLE_SHARE else text, draw)
        return {"logger": logger, "level": "INFO", "message": said, "thread": f"worker-{draw.randrange(16)}"}

    return shape


def _host(draw: random.Random) -> Fields:
    return {"timestamp": time_of_day(draw), "host": f"lx{draw.randrange(300):03d}.bank.example"}


def _nothing(_: random.Random) -> Fields:
    return {}


PROXY: Final = Source({"product": "squid", "category": "proxy", "service": "access"}, _proxy, received, 1_500)
DNS: Final = Source({"product": "zeek", "category": "dns", "service": "dns"}, _name, _name_stamp, 1_000)
FIREWALL: Final = Source(
    {"product": "fortigate", "category": "firewall", "service": "traffic"}, _denied, received, 2_000
)
CLOUDTRAIL: Final = Source({"product": "aws", "category": "cloud", "service": "cloudtrail"}, _call, _call_stamp, 800)
SIGNIN: Final = Source({"product": "azure", "category": "cloud", "service": "signinlogs"}, _signin, _signin_stamp, 800)
WEBSERVER: Final = Source(
    {"product": "apache", "category": "webserver", "service": "apache"}, _request, received, 1_500
)
SYSLOG: Final = Source({"product": "linux", "category": "other", "service": "syslog"}, _message, _host, 2_000)
RAW: Final = Source({"product": "linux", "category": "other", "service": "syslog"}, _only_message, _nothing, 3_000)
LOGGED: Final = tuple(
    Source({"product": product, "category": category, "service": service}, _logged(logger, text, trouble), _host, 300)
    for product, category, service, logger, text, trouble in _LOGGED
)
