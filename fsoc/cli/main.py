"""The `fsoc` command: one file of this folder per subcommand, imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, Final

import click

from fsoc import __version__
from fsoc.errors import FsocError, RefusedToStart

BROKEN_PIPE: Final = 141
"""As a shell calls a process that SIGPIPE ended."""

# name → (module, one line for `fsoc --help`). Each module has a click command named `command`.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("fsoc.cli.demo", "Everything on this machine: Kafka, workers, forty institutions, joint alerts."),
    "up": ("fsoc.cli.up", "Run Kafka (unless given) and workers until interrupted."),
    "worker": ("fsoc.cli.worker", "Run one worker."),
    "kafka": ("fsoc.cli.kafka", "Start, stop or look at this machine's own single-node Kafka."),
    "institution": ("fsoc.cli.institution", "Let an institution join; show how far it is, rotate, suspend."),
    "topics": ("fsoc.cli.topics", "Plan, apply or check the topics."),
    "state": ("fsoc.cli.state", "Show what workers have written down of their work, or verify it."),
    "campaigns": ("fsoc.cli.campaigns", "Look at campaigns, and decide about them: split, merge, undo."),
    "feedback": ("fsoc.cli.feedback", "What institutions are told: preview, hold, release, show in any form, answer."),
    "audit": ("fsoc.cli.audit", "Who was told what, when, under which decision; verify that nobody changed it."),
    "feeds": ("fsoc.cli.feeds", "Every feed at a glance, and the data-quality report of a month."),
    "gateway": ("fsoc.cli.gateway", "Take tickets by HTTPS; make the tokens that senders come with."),
    "sample": ("fsoc.cli.sample", "Print test tickets of an institution, to try a way in."),
    "send": ("fsoc.cli.send", "Send tickets to a gateway or to Kafka, by way of a spool that survives restarts."),
    "receipts": ("fsoc.cli.receipts", "What became of an institution's tickets, why, and how to mend it."),
    "quarantine": ("fsoc.cli.quarantine", "List and show refused payloads; mend them and send them again."),
    "alerts": ("fsoc.cli.alerts", "Watch joint alerts, show one whole, or export them as CSV or JSON."),
    "drill": ("fsoc.cli.drill", "Hold a drill on topics of its own: start, stop, score; and what it poses."),
    "detect": ("fsoc.cli.detect", "Match Sigma rules against events, NDJSON in and out."),
    "explain": ("fsoc.cli.explain", "Why a Sigma rule matches an event, or does not, as a tree."),
    "map": ("fsoc.cli.map", "Events of other forms (OCSF, ECS, IDEA, yours) to event tickets."),
    "replay": ("fsoc.cli.replay", "The whole pipeline over ticket files, without a broker."),
    "evaluate": ("fsoc.cli.evaluate", "Joint alerts against labelled tickets: precision, recall, times, thresholds."),
    "exercise": ("fsoc.cli.exercise", "Write a simulated sector to files: tickets, institutions, truth."),
    "check": ("fsoc.cli.check", "Check rules, tickets or mappings; every error with file and line."),
    "coverage": ("fsoc.cli.coverage", "Who covers what of the monitoring baseline: tables, layers, heatmap, CSV."),
    "attack": ("fsoc.cli.attack", "MITRE ATT&CK as fsoc knows it: import a release, compare two, look an id up."),
    "baseline": ("fsoc.cli.baseline", "The monitoring baseline: list it, publish a version of it, verify a bundle."),
    "assess": ("fsoc.cli.assess", "Play attack scripts: detected, ticketed, joined in time? Scored, with a floor."),
    "standard": ("fsoc.cli.standard", "Make the operating standard that institutions are given, HTML or Markdown."),
    "schema": ("fsoc.cli.schema", "Print the JSON Schema of a ticket, an alert, a campaign, a receipt or feedback."),
}


class _LazyGroup(click.Group):
    """A group that imports a subcommand when it is asked for: `fsoc --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)  # noqa: S101 - a defect of ours, not of the caller
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Nobody reads what we print any more, as `head` does. click would leave with 1, which means a finding here;
            # and what is still buffered must not be told about when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(BROKEN_PIPE)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fsoc")
def cli() -> None:
    """Fsoc: tickets of many institutions in, joint alerts out.

    \b
    Start here:
      fsoc demo                      see it work
      fsoc schema ticket             what a ticket is
      fsoc replay --tickets FILE --rules rules
    """


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 found something or failed, 2 refused (usage, content, settings)."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except RefusedToStart as error:
        for problem in error.problems:
            click.echo(f"fsoc: {problem}", err=True)
        sys.exit(2)
    except FsocError as error:
        click.echo(f"fsoc: {error}", err=True)
        sys.exit(1)
