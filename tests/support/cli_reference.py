"""Generated parts of the documents: the commands in host/README.md, and the card of signals. Run this file to write them."""

import copy
from collections.abc import Iterator
from pathlib import Path

import click
from retrostep.cli import main
from retrostep.cli._signal_card import signal_table

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "host/README.md"
CARDS = (ROOT / "README.md", ROOT / "firmware/README.md")
CARD_BEGIN, CARD_END = "<!-- signals: begin -->\n", "<!-- signals: end -->\n"
BEGIN, END = "<!-- commands: begin -->\n", "<!-- commands: end -->\n"
_SHARED = ("as_json", "store_url")
_WIDTH = 100


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """(`retrostep NAME ...`, command, its context) of every command, groups before their commands."""
    context = click.Context(main, info_name="retrostep", **main.context_settings)
    yield from _below(main, context)


def _below(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        yield inner.command_path, command, inner
        if isinstance(command, click.Group):
            yield from _below(command, inner)


def reference() -> str:
    """A section for each command, with its subcommands: the help without the options that many commands share."""
    sections: list[str] = []
    for path, command, context in commands():
        shown = copy.copy(command)
        shown.params = [parameter for parameter in command.params if parameter.name not in _SHARED]
        shown.add_help_option = False
        inner = click.Context(shown, info_name=context.info_name, parent=context.parent, terminal_width=_WIDTH, max_content_width=_WIDTH)
        is_subcommand = path.count(" ") > 1
        sections.append(f"\n{shown.get_help(inner)}\n" if is_subcommand else f"```\n\n### {path}\n\n```text\n{shown.get_help(inner)}\n")
    return "".join(sections).removeprefix("```\n\n") + "```\n"


def with_reference(text: str) -> str:
    """The README `text` with the reference in its place."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{reference()}\n{END}{rest.partition(END)[2]}"


def with_card(text: str) -> str:
    """The document `text` with the card of signals in its place."""
    before, _, rest = text.partition(CARD_BEGIN)
    return f"{before}{CARD_BEGIN}\n{signal_table()}\n\n{CARD_END}{rest.partition(CARD_END)[2]}"


if __name__ == "__main__":
    README.write_text(with_reference(README.read_text(encoding="utf-8")), encoding="utf-8")
    for card in CARDS:
        card.write_text(with_card(card.read_text(encoding="utf-8")), encoding="utf-8")
