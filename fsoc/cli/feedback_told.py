"""`fsoc feedback show|export|ack`: what an institution was told, in the form it needs, and its answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, get_args

import click
import orjson

from fsoc.channels.content import Queries
from fsoc.channels.marks import LANGUAGES, Language
from fsoc.cli.gateway_options import gateway_options
from fsoc.cli.printable import printable
from fsoc.cli.topic_source import OPTIONS, TopicSource, complain, with_options, write
from fsoc.cli.variadic import VariadicCommand
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.told import Told, of_lines, on_topic
from fsoc.tickets.vocabulary import ACKNOWLEDGES_MAX, Answer, Environment

FORMS: Final = ("text", "html", "stix", "json", "mail", "queries")
_SUFFIXES: Final = {
    "queries": "queries.txt",
    "text": "txt",
    "html": "html",
    "stix": "stix.json",
    "json": "json",
    "mail": "eml",
}
_NONE: Final = 1
"""Exit code where nothing was found."""
_path = click.Path(path_type=Path)
_SENDER: Final = "joint-soc@fsoc.invalid"


def _addresses(_: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """One address or several, as a header has them; what would be more than one header is refused."""
    from email.errors import MessageError
    from email.message import EmailMessage
    from email.policy import SMTP

    if text is None:
        return None
    message = EmailMessage(policy=SMTP)
    try:
        message["To"] = text
        found = message["To"].addresses
        message.as_bytes()
    except (ValueError, MessageError) as error:
        raise click.BadParameter(f"{printable(text)[:80]!r} is no mail address: {error}", param=option) from error
    is_sound = all(one.username and one.domain and one.addr_spec.isascii() for one in found)
    if not (text.isprintable() and found and is_sound):
        raise click.BadParameter(f"{printable(text)[:80]!r} is no mail address", param=option)
    return text


_READ: Final = (
    click.option("--institution", metavar="ID", help="Whose feedback; default: the user of --settings. 機構代碼。"),
    click.option("--from", "from_", metavar="FILE|-", help="Feedback, one record a line, instead of a cluster."),
    click.option("--lang", "language", type=click.Choice(LANGUAGES), default="zh-TW", help="Default: zh-TW. 語言。"),
    click.option(
        "--siem",
        "siems",
        multiple=True,
        metavar="NAME[+MAPPING]",
        help="Hunting rules as its queries too: splunk, sentinel … May be given again. 轉為查詢語法。",
    ),
    click.option(
        "--mappings", type=_path, metavar="FILE", help="Who has which SIEM, as `fsoc baseline build` reads it."
    ),
    click.option(
        "--sender", default=_SENDER, callback=_addresses, metavar="ADDRESS", help="Of --as mail: whom it is from."
    ),
    click.option(
        "--recipient",
        callback=_addresses,
        metavar="ADDRESS",
        help="Of --as mail: whom it is to. Default: soc@<institution>.",
    ),
    *OPTIONS,
)


@click.command("show")
@click.argument("alert", metavar="ALERT")
@click.option("--as", "form", type=click.Choice(FORMS), default="text", help="Default: text. 格式。")
@click.option("--out", type=_path, metavar="FILE", help="Write there, not to stdout.")
@with_options(_READ)
def show_command(alert: str, form: str, out: Path | None, **options: Any) -> None:
    """Show what an institution was told of ALERT: as text, a page, a STIX bundle, JSON or a whole mail.

    ALERT may be cut short as long as one alert alone begins so. Nothing is sent.

    \b
    以文字、網頁、STIX、JSON 或郵件顯示本機構就該告警所收到之回饋。

    \b
    Examples:
      fsoc feedback show al-4f2a --settings kit-fi-001/fi-001.yml
      fsoc feedback show 4f2a --as html --out alert.html --institution fi-001 --brokers 127.0.0.1:9092
      fsoc feedback show 4f2a --as stix --from feedback.ndjson | jq '.objects[].type'
      fsoc feedback show 4f2a --as mail --recipient soc@bank.example | sendmail -t
      fsoc feedback show 4f2a --as queries --siem splunk --siem elastic-esql --from feedback.ndjson
    """
    render = _renderer(form, options)
    found = [told for told in _read(options) if _begins(told.feedback.alert_id, alert)]
    exact = [told for told in found if told.feedback.alert_id == alert]
    if len(exact or found) != 1:
        names = ", ".join(sorted({told.feedback.alert_id for told in found})[:5])
        several = "several institutions were told of it; give --institution" if exact else f"several begin so: {names}"
        raise RefusedToStart(Problem(alert[:64], several if found else "nothing was told of such an alert"))
    write(render((exact or found)[0]), out)


@click.command("export")
@click.option("--dir", "folder", type=_path, required=True, metavar="DIR", help="Made where it is not there.")
@click.option(
    "--as", "forms", type=click.Choice((*FORMS, "maildir")), multiple=True, default=("html", "stix"),
    help="May be given again; default: html and stix. maildir: mails into DIR/new, each revision once.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Tell what was written as JSON.")
@with_options(_READ)
def export_command(folder: Path, forms: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Write all that an institution was told to files, the newest revision of each alert: ALERT.html, ALERT.stix.json.

    What is there already and says the same is left alone, so that whoever watches the folder sees what is new.
    Exit code 1 when there is nothing.

    \b
    將本機構收到之全部回饋寫入檔案；內容未變者不重寫。

    \b
    Examples:
      fsoc feedback export --dir feedback --settings kit-fi-001/fi-001.yml
      fsoc feedback export --dir ~/Maildir --as maildir --recipient soc@bank.example --settings kit-fi-001/fi-001.yml
    """
    renderers = {form: _renderer("mail" if form == "maildir" else form, options) for form in forms}
    told = _read(options)
    several = len({one.feedback.institution for one in told}) > 1
    written = kept = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in told:
            name = f"{one.feedback.institution}.{one.feedback.alert_id}" if several else one.feedback.alert_id
            for form, render in renderers.items():
                new = (
                    _deliver(folder, name, one, render) if form == "maildir" else _put(folder, name, form, one, render)
                )
                written, kept = written + new, kept + (not new)
    except OSError as error:
        raise RefusedToStart(Problem("--dir", f"{folder}: {error.strerror}")) from error
    if as_json:
        click.echo(orjson.dumps({"alerts": len(told), "written": written, "unchanged": kept}))
    else:
        click.echo(
            f"{len(told)} alerts: {written} files written, {kept} unchanged  已寫入 {written} 檔，未變更 {kept} 檔"
        )
    if not told:
        sys.exit(_NONE)


@click.command("ack", cls=VariadicCommand)
@click.argument("alerts", nargs=-1, required=True, metavar="ALERT…")
@click.option("--answer", type=click.Choice(get_args(Answer)), help="What you answer. 回復內容。")
@click.option("--retract", is_flag=True, help="Take the answer back instead. 撤回先前之回復。")
@gateway_options
@click.option("--institution", metavar="ID", help="Who answers; default: the user of --settings.")
@click.option("--exercise-id", metavar="ID", help="Of a drill: which, as its feedback came with. 演練代碼。")
@click.option("--json", "as_json", is_flag=True, help="An entry for each answer, as `fsoc send` has it.")
@with_options(OPTIONS)
def ack_command(
    alerts: tuple[str, ...],
    answer: Answer | None,
    retract: bool,
    exercise_id: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Answer joint alerts: seen, hunting, affected or not_affected. Answering again changes the answer.

    It goes the way of tickets, to Kafka or to a gateway, and has a receipt as they have. ALERT is the whole id, as
    feedback names it. Exit code 1 where an answer will be refused.

    \b
    回復聯防告警：seen 已閱、hunting 清查中、affected 受影響、not_affected 未受影響；再次回復即更新。

    \b
    Examples:
      fsoc feedback ack al-4f2a… --answer seen --settings kit-fi-001/fi-001.yml
      fsoc feedback ack al-4f2a… al-77b0… --answer not_affected --institution fi-001 \\
           --to https://gateway.example:8443 --token-file kit-fi-001/fi-001.token --ca-file kit-fi-001/ca.pem
      fsoc feedback ack al-4f2a… --retract --settings kit-fi-001/fi-001.yml
    """
    from fsoc.cli.send import destination
    from fsoc.tickets.answering import acknowledge

    if (answer is None) != retract:
        raise click.UsageError("Give --answer, or --retract.")
    if len(alerts) > ACKNOWLEDGES_MAX:
        raise click.UsageError(f"At most {ACKNOWLEDGES_MAX} alerts at a time.")
    institution, environment, drill = _who_answers(options)
    at_ms = time.time_ns() // 1_000_000
    bodies = acknowledge(institution, alerts, answer, at_ms, environment, exercise_id or drill)
    lines = [orjson.dumps(body) for body in bodies]
    options["settings_file"] = options.pop("file")
    if options["to"] is not None:
        options |= {"institution": None, "settings_file": None}  # who answers, the gateway knows by its credential
    with destination(options) as (place, _):
        entries = place.send(lines, f"ack-{at_ms}")
    refused = [entry for entry in entries if entry.get("outcome") != "taken"]
    for alert, entry in zip(alerts, entries, strict=True):
        if as_json:
            click.echo(orjson.dumps({"alert_id": alert, **entry}))
        elif entry not in refused:
            click.echo(f"{printable(alert)}: {'taken back 已撤回' if retract else f'answered 已回復 {answer}'}")
        for fault in () if as_json else entry.get("faults", ()):
            complain(f"{alert}: {fault['pointer']}: {fault['reason']}  {fault['reason_zh']}")
    if refused:
        sys.exit(1)


def _who_answers(options: dict[str, Any]) -> tuple[str, Environment, str | None]:
    from fsoc.settings import load

    given = {name: options[name] for name in ("brokers", "topic_prefix", "environment")}
    settings = load(options["file"], options=given if options["to"] is None else {"environment": given["environment"]})
    institution = options["institution"] or settings.kafka_username
    if institution is None:
        raise RefusedToStart(Problem("--institution", "is needed: who answers?"))
    return str(institution), settings.environment, settings.exercise_id


class _Hunting:
    """The SIEMs for which hunting rules are converted: those that are named, and the institution's own."""

    def __init__(self, siems: tuple[str, ...], mappings: Path | None) -> None:
        self._named: list[Any] = []
        self._own: Any = {}
        self._is_asked = bool(siems) or mappings is not None
        if siems:
            from fsoc.channels.hunting import SIEMS_MAX, profile_of  # late: they need pySigma

            if len(siems) > SIEMS_MAX:
                raise click.UsageError(f"At most {SIEMS_MAX} --siem.")
            self._named = [profile_of(one) for one in siems]
        if mappings is not None:
            from fsoc.runtime.baseline.publishing import profiles_of

            self._own = profiles_of(mappings, None).chosen

    def __bool__(self) -> bool:
        return self._is_asked

    def queries(self, told: Told) -> Queries:
        own = self._own.get(told.feedback.institution)
        profiles = [*self._named, *(() if own is None or own in self._named else (own,))]
        if not profiles:
            return {}
        from fsoc.channels.hunting import queries_of

        return queries_of(told.feedback, profiles)

    def text(self, told: Told, language: Language) -> bytes:
        """The queries alone, each below a line that says what it is."""
        titles = {one.rule_id: one for one in told.feedback.statement.hunt} if told.feedback.statement else {}
        lines: list[str] = []
        for rule_id, several in self.queries(told).items():
            title = titles[rule_id].title_zh if language == "zh-TW" else titles[rule_id].title
            for one in several:
                notes = "; ".join(note[1] if language == "zh-TW" else note[0] for note in one.notes)
                lines += [f"# {printable(title)} · {one.system}", *([f"# {printable(notes)}"] if notes else [])]
                lines += [*(() if one.text is None else (one.text,)), ""]
        return "\n".join(lines).encode()


def _read(options: dict[str, Any]) -> list[Told]:
    for unread in ("language", "sender", "recipient", "siems", "mappings"):
        del options[unread]
    institution = options.pop("institution")
    source = TopicSource.of(options)
    if source.file is not None:
        found = of_lines(source.lines())
        return [told for told in found if institution in {None, told.feedback.institution}]
    name = institution or source.settings.kafka_username
    if name is None:
        raise RefusedToStart(Problem("--institution", "is needed: whose feedback?"))
    return list(source.on_log(lambda log, prefix: on_topic(log, prefix, str(name), complain)))


def _renderer(form: str, options: dict[str, Any]) -> Callable[[Told], bytes]:
    """How a record becomes bytes; takes the options that are of no use to reading."""
    language, sender, recipient = options["language"], options["sender"], options["recipient"]
    hunting = _Hunting(options["siems"], options["mappings"])
    if form == "queries" and not hunting:
        raise click.UsageError("--as queries needs --siem or --mappings.")

    def render(told: Told) -> bytes:
        feedback = told.feedback
        if form == "queries":
            return hunting.text(told, language)
        if form == "json":
            return told.value + b"\n"
        if form == "stix":
            from fsoc.channels.stix import bundle_of  # late: it takes half a second

            return bundle_of(feedback).encode() + b"\n"
        if form == "html":
            from fsoc.channels.html import html_of

            return html_of(feedback, language, hunting.queries(told)).encode()
        if form == "mail":
            from fsoc.channels.mail import mail_of

            to = recipient or f"soc@{feedback.institution}.invalid"
            return mail_of(feedback, language, sender=sender, recipient=to, queries=hunting.queries(told))
        from fsoc.channels.text import text_of

        return text_of(feedback, language, hunting.queries(told)).encode()

    return render


def _begins(name: str, beginning: str) -> bool:
    return name.startswith(beginning) or name.removeprefix("al-").startswith(beginning)


def _put(folder: Path, name: str, form: str, told: Told, render: Callable[[Told], bytes]) -> bool:
    """Write a file whole or not at all; return whether it is another than before."""
    path = folder / f"{name}.{_SUFFIXES[form]}"
    content = render(told)
    if path.exists() and path.read_bytes() == content:
        return False
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)
    return True


def _deliver(folder: Path, name: str, told: Told, render: Callable[[Told], bytes]) -> bool:
    """Deliver a revision to a maildir, once: where it was moved by its reader, it is known all the same."""
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(exist_ok=True)
    unique = f"{name}.{told.feedback.revision}.fsoc"
    if _is_there(folder, unique):
        return False
    path = folder / "tmp" / unique
    path.write_bytes(render(told))
    path.replace(folder / "new" / unique)
    return True


def _is_there(folder: Path, unique: str) -> bool:
    names: Iterable[Path] = ((folder / "new" / unique), *(folder / "cur").glob(f"{unique}*"))
    return any(path.exists() for path in names)
