"""`fsoc feedback`: what institutions are told of joint alerts, and what they answer."""

from __future__ import annotations

import click

from fsoc.cli.feedback_told import ack_command, export_command, show_command


@click.group(name="feedback", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Show what an institution was told of joint alerts, write it to files, answer it."""


command.add_command(show_command)
command.add_command(export_command)
command.add_command(ack_command)
