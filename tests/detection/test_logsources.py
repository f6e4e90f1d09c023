"""logsources.yml: its words, its errors, and what the one that is shipped derives from real events."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsoc.detection import Logsource, LogsourceMap, Source
from fsoc.detection.logsources import REMEMBERED_MAX
from fsoc.errors import RefusedToStart

SHIPPED = Path(__file__).parents[2] / "rules" / "logsources.yml"
SYSMON = "Microsoft-Windows-Sysmon/Operational"


@pytest.fixture(scope="module")
def shipped():
    return LogsourceMap.parse(Source(str(SHIPPED), SHIPPED.read_text(encoding="utf-8")))


def of(mapping, fields, stated=None):
    """{(category, service)} of all views, product apart."""
    return {(each.category, each.service) for view in mapping.views(fields, stated) for each in view.logsources}


def parse(text):
    return LogsourceMap.parse(Source("l.yml", text))


@pytest.mark.parametrize(
    ("event_id", "categories"),
    [
        (1, {"process_creation"}),
        (2, {"file_change"}),
        (3, {"network_connection"}),
        (4, {"sysmon_status"}),
        (5, {"process_termination"}),
        (6, {"driver_load"}),
        (7, {"image_load"}),
        (8, {"create_remote_thread"}),
        (9, {"raw_access_thread"}),
        (10, {"process_access"}),
        (11, {"file_event"}),
        (12, {"registry_event", "registry_add", "registry_delete"}),
        (13, {"registry_event", "registry_set"}),
        (14, {"registry_event", "registry_rename"}),
        (15, {"create_stream_hash"}),
        (16, {"sysmon_status"}),
        (17, {"pipe_created"}),
        (18, {"pipe_created"}),
        (19, {"wmi_event"}),
        (20, {"wmi_event"}),
        (21, {"wmi_event"}),
        (22, {"dns_query"}),
        (23, {"file_delete"}),
        (24, {"clipboard_capture"}),
        (25, {"process_tampering"}),
        (26, {"file_delete", "file_delete_detected"}),
        (27, {"file_block_executable"}),
        (28, {"file_block_shredding"}),
        (29, {"file_executable_detected"}),
        (255, {"sysmon_error"}),
        (99, set()),
    ],
)
def test_sysmon_events_have_their_categories_and_the_service(event_id, categories, shipped):
    wanted = {(category, "sysmon") for category in categories} | {(None, "sysmon")}
    assert of(shipped, {"Channel": SYSMON, "EventID": event_id}) == wanted
    assert of(shipped, {"Provider_Name": "microsoft-windows-sysmon", "EventID": str(event_id)}) == wanted


def test_registry_keys_made_and_deleted_are_told_apart_where_the_event_tells(shipped):
    made = of(shipped, {"Channel": SYSMON, "EventID": 12, "EventType": "CreateKey"})
    gone = of(shipped, {"Channel": SYSMON, "EventID": 12, "EventType": "DeleteValue"})
    assert {category for category, _ in made} == {None, "registry_event", "registry_add"}
    assert {category for category, _ in gone} == {None, "registry_event", "registry_delete"}


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"Channel": "Security", "EventID": 4624}, {(None, "security")}),
        ({"Channel": "System"}, {(None, "system")}),
        ({"Channel": "Application"}, {(None, "application")}),
        (
            {"Channel": "PowerShellCore/Operational", "EventID": 4104},
            {(None, "powershell"), ("ps_script", "powershell")},
        ),
        (
            {"Channel": "Microsoft-Windows-PowerShell/Operational", "EventID": 4103},
            {(None, "powershell"), ("ps_module", "powershell")},
        ),
        (
            {"Channel": "Windows PowerShell", "EventID": 400},
            {(None, "powershell-classic"), ("ps_classic_start", "powershell-classic")},
        ),
        (
            {"Channel": "Windows PowerShell", "EventID": 600},
            {(None, "powershell-classic"), ("ps_classic_provider_start", "powershell-classic")},
        ),
        (
            {"Channel": "Windows PowerShell", "EventID": 800},
            {(None, "powershell-classic"), ("ps_classic_script", "powershell-classic")},
        ),
        (
            {"Channel": "Microsoft-Windows-Windows Defender/Operational", "EventID": 1116},
            {(None, "windefend"), ("antivirus", "windefend")},
        ),
        ({"Channel": "Microsoft-Windows-AppLocker/EXE and DLL"}, {(None, "applocker")}),
        ({"Channel": "Microsoft-Windows-Bits-Client/Operational"}, {(None, "bits-client")}),
        (
            {"Channel": "Microsoft-ServiceBus-Client/Admin"},
            {(None, s) for s in ("microsoft-servicebus-client", "servicebus-client")},
        ),
        ({"Provider_Name": "Microsoft-Windows-Kernel-File", "EventID": 12}, {(None, None), ("file_access", None)}),
        ({"Channel": "Linux-Sysmon/Operational", "EventID": 1}, {(None, "sysmon"), ("process_creation", "sysmon")}),
        ({"eventVersion": "1.08", "eventSource": "s3.amazonaws.com"}, {(None, "cloudtrail")}),
        ({"Channel": "Made Up/Operational", "EventID": 1}, set()),
        ({"EventID": 1}, set()),
        ({}, set()),
    ],
)
def test_channels_and_providers_lead_to_services_and_categories(fields, wanted, shipped):
    assert of(shipped, fields) == wanted


def test_the_services_that_sigmahq_rules_name_for_windows_are_all_derived():
    """Those of the 3,132 rules; a channel for each."""
    text = SHIPPED.read_text(encoding="utf-8")
    named = {
        *("application", "applocker", "appmodel-runtime", "appxdeployment-server", "appxpackaging-om", "bits-client"),
        *("capi2", "certificateservicesclient-lifecycle-system", "codeintegrity-operational", "diagnosis-scripted"),
        *("dns-client", "dns-server", "driver-framework", "firewall-as", "iis-configuration", "ldap", "lsa-server"),
        *("microsoft-servicebus-client", "msexchange-management", "ntlm", "openssh", "powershell-classic", "security"),
        *("security-mitigations", "shell-core", "smbclient-security", "smbserver-connectivity", "sysmon", "system"),
        *("taskscheduler", "terminalservices-localsessionmanager", "windefend", "wmi"),
    }
    assert {name for name in named if f"service: {name}}}" not in text} == set()


def test_a_process_creation_of_windows_own_has_sysmons_names_beside_its_own(shipped):
    fields = {
        "Channel": "Security",
        "EventID": 4688,
        "NewProcessName": r"C:\x.exe",
        "ParentProcessName": r"C:\p.exe",
        "NewProcessId": "0x10",
        "ProcessId": "0x20",
        "SubjectUserName": "bob",
    }
    plain, renamed = shipped.views(fields)
    assert (plain.logsources, dict(plain.over)) == ((Logsource("windows", None, "security"),), {})
    assert renamed.logsources == (Logsource("windows", "process_creation", "security"),)
    assert renamed.over == {
        "Image": r"C:\x.exe",
        "ParentImage": r"C:\p.exe",
        "ProcessId": "0x10",
        "ParentProcessId": "0x20",
        "User": "bob",
    }


def test_what_is_stated_is_kept_and_what_follows_from_it_is_added(shipped):
    stated = Logsource("windows", None, "security")
    assert of(shipped, {"EventID": 4624}, stated) == {(None, "security")}
    assert of(shipped, {"EventID": 4688}, stated) == {(None, "security"), ("process_creation", "security")}
    other = Logsource("windows", "process_creation")
    assert of(shipped, {"CommandLine": "x"}, other) == {("process_creation", None)}
    renamed = of(shipped, {"EventID": 4688, "NewProcessName": "x"}, other)
    assert renamed == {("process_creation", None), (None, "security"), ("process_creation", "security")}
    assert of(shipped, {"Channel": SYSMON, "EventID": 1}, Logsource("zeek")) >= {
        (None, None),
        ("process_creation", "sysmon"),
    }


def test_an_event_may_state_its_logsource_in_its_own_fields(shipped):
    [view] = shipped.views({"product": "Zeek", "service": "dns", "query": "x"})
    assert view.logsources == (Logsource("zeek", None, "dns"),)
    assert shipped.views({"product": 5, "category": ["x"]}) == []


def test_what_was_derived_is_remembered_by_all_that_decides_it():
    mapping = parse(
        "logsources:\n  - when: {a: 1, b: x}\n    logsource: {product: p}\n    events: {7: {category: c}}\n"
    )
    for _ in range(2):
        assert of(mapping, {"a": 1, "b": "x"}) == {(None, None)}
        assert of(mapping, {"a": 1, "b": "y"}) == set()
        assert of(mapping, {"a": True, "b": "x"}) == set()
        assert of(mapping, {"a": "1", "b": ["z", "X"]}) == {(None, None)}
        assert of(mapping, {"a": 1.0, "b": "x", "EventID": 7}) == {(None, None), ("c", None)}
        assert of(mapping, {"a": 1, "b": "x", "EventID": "7"}) == {(None, None), ("c", None)}
        assert of(mapping, {"a": 1, "b": "x"}, Logsource("q")) == {(None, None)}


def test_a_field_that_is_null_is_remembered_apart_from_one_that_is_missing():
    text = """\
logsources:
  - when: {made|exists: true}
    logsource: {product: test}
"""
    for order in ((None, {"made": None}), ({"made": None}, None)):
        mapping = LogsourceMap.parse(Source("logsources.yml", text))
        assert [bool(mapping.derive(fields or {})) for fields in order] == [fields is not None for fields in order]


def test_what_texts_are_compared_with_is_told_where_nothing_else_of_them_decides():
    text = """\
logsources:
  - when: {channel: [One, two*], made|exists: true, odd|re: x}
    logsource: {product: test}
"""
    mapping = LogsourceMap.parse(Source("logsources.yml", text))
    told = mapping.texts_deciding("channel")
    assert told is not None
    assert [(each.place, each.text) for each in told] == [("whole", "one"), ("start", "two")]
    assert mapping.texts_deciding("made") == ()
    assert mapping.texts_deciding("odd") is None
    assert mapping.texts_deciding("product") is None


def test_what_is_remembered_is_bounded():
    mapping = parse("logsources:\n  - {when: {a: x}, logsource: {product: p}}\n")
    for number in range(REMEMBERED_MAX + 10):
        mapping.views({"a": str(number)})
    mapping.views({"a": "y" * 10_000})
    mapping.views({"a": "y"}, Logsource("z" * 10_000))
    assert len(mapping._remembered) <= REMEMBERED_MAX
    assert all(len(str(key)) < 1_000 for key in mapping._remembered)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["l.yml:1: empty — expected logsources: and a list"]),
        ("a: [\n", ["l.yml:2: not YAML: "]),
        ("logsources: {}\n", ["l.yml:1: logsources is not a list"]),
        ("logsources: []\nstated: {product: a}\n", ["l.yml:2: stated is not a list of logsources"]),
        (
            "logsources: []\nstated:\n  - x\n  - {product: 5}\n",
            ["l.yml:3: logsource sets none of product, category, service", "l.yml:4: logsource product is 5"],
        ),
        ("logsources: []\nother: 1\n", ['l.yml:2: "other" is unknown — expected logsources']),
        ("logsources: [x]\n", ["l.yml:1: not a mapping — expected events, fields, logsource, when"]),
        ("logsources:\n  - {when: {a: 1}}\n", ["l.yml:2: logsource sets none of product, category, service"]),
        ("logsources:\n  - {logsource: x}\n", ["l.yml:2: logsource sets none of product, category, service"]),
        (
            "logsources:\n  - logsource: {product: p}\n    evens: {}\n    events: {x: {}, 1: y, 2: {categry: c}}\n",
            [
                'l.yml:3: "evens" is unknown — expected one of events, fields, logsource, when',
                'l.yml:4: "x" is no EventID — expected a whole number',
                "l.yml:4: not a mapping — expected category, fields, service, when",
                'l.yml:4: "categry" is unknown — expected one of category, fields, service, when',
            ],
        ),
        ("logsources:\n  - {logsource: {product: p}, events: [1]}\n", ["l.yml:2: events is not a mapping of EventID"]),
        (
            "logsources:\n  - {logsource: {product: p}, events: {1: {category: 5}}}\n",
            ["l.yml:2: logsource category is 5"],
        ),
        (
            "logsources:\n  - logsource: {product: p}\n    when:\n      - 'a|foo': 1\n      - 'b|re': '(?=x)'\n",
            ['l.yml:4: a|foo: "foo" is no modifier'],
        ),
        (
            "logsources:\n  - logsource: {product: p}\n    when: {'b|re': '(?=x)'}\n",
            ['l.yml:3: b: regular expression "(?=x)"'],
        ),
        ("logsources:\n  - {logsource: {product: p}, when: word}\n", ["l.yml:2: when looks at fields by name only"]),
        (
            "logsources:\n  - {logsource: {product: p}, when: {a.b: 1}}\n",
            ["l.yml:2: when looks at fields by name only"],
        ),
        (
            "logsources:\n  - {logsource: {product: p}, fields: {a: 1}}\n",
            ["l.yml:2: fields is not a mapping of Sigma's"],
        ),
        ("logsources:\n  - {logsource: {product: p}, fields: [a]}\n", ["l.yml:2: fields is not a mapping of Sigma's"]),
    ],
)
def test_a_bad_map_is_refused_with_every_problem(text, problems):
    with pytest.raises(RefusedToStart) as refusal:
        parse(text)
    found = [str(problem) for problem in refusal.value.problems]
    assert len(found) == len(problems)
    assert all(any(each.startswith(start) for each in found) for start in problems), found


MAP = """\
logsources:
  - when: {kind: x}
    logsource: {product: p, service: s}
    events:
      1: {category: made, fields: {Image: path}}
stated:
  - {category: proxy}
"""


def test_why_an_event_is_of_a_logsource_is_told_with_the_line_that_says_so():
    told = parse(MAP).origins({"kind": "x", "EventID": 1}, Logsource("p"))
    assert [tuple(each) for each in told] == [
        ((), Logsource("p"), ""),
        ((), Logsource("p", service="s"), "l.yml:2"),
        ((("Image", "path"),), Logsource("p", "made", "s"), "l.yml:5"),
    ]


def test_what_is_told_is_what_is_derived(shipped):
    event = {"Channel": "Security", "EventID": 4688, "product": "windows"}
    found: dict[object, list[Logsource]] = {}
    for each in shipped.origins(event):
        found.setdefault(each.aliases, []).append(each.logsource)
    assert tuple((aliases, tuple(logsources)) for aliases, logsources in found.items()) == shipped.derive(event)


def test_every_logsource_of_a_map_is_named():
    assert parse(MAP).named == (Logsource("p", service="s"), Logsource("p", "made", "s"), Logsource(category="proxy"))


def test_what_is_only_stated_decides_nothing():
    assert parse(MAP).derive({"kind": "y"}, Logsource(category="proxy")) == (((), (Logsource(category="proxy"),)),)
    assert parse(MAP).derive({"kind": "y"}) == ()
