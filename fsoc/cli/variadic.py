"""`--rules a b c` for click, which takes one value per option: written out as `--rules a --rules b --rules c`."""

from __future__ import annotations

import click


class VariadicCommand(click.Command):
    """A command whose repeatable options each take every value up to the next option.

    `-` alone is a value (standard input). `--` ends it as usual.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [option for option in self.params if isinstance(option, click.Option) and option.multiple]
        repeatable = {name for option in options for name in option.opts}
        return super().parse_args(ctx, list(_written_out(args, repeatable)))


def _written_out(args: list[str], repeatable: set[str]) -> list[str]:
    written: list[str] = []
    option: str | None = None
    values = 0
    for index, arg in enumerate(args):
        if arg == "--":
            return [*written, *args[index:]]
        if arg.startswith("-") and arg != "-":
            written.append(arg)
            option, values = (arg, 0) if arg in repeatable else (None, 0)
        elif option is not None and values:
            written += [option, arg]
        else:
            written.append(arg)
            values += 1
    return written
