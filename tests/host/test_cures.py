"""The command that the CLI adds to an error: it exists, and its facts are filled in."""

import re
import shlex

import click
import pytest
from retrostep import errors
from retrostep.cli import main
from retrostep.cli._cures import CURES, cure, sentence
from retrostep.errors import RetrostepError


def parsed(words: list[str]) -> None:
    """Parse `retrostep WORDS`; click.UsageError where there is no such command or option."""
    command: click.Command = main
    context = click.Context(main, **main.context_settings)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, found, words = command.resolve_command(context, words)
        assert name is not None and found is not None
        command = found
    if not isinstance(command, click.Group) or (words and command.invoke_without_command):
        command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("kind", CURES, ids=lambda kind: kind.__name__)
def test_every_cure_names_a_command_that_exists(kind: type[RetrostepError]) -> None:
    text = cure(kind("It failed."))
    commands = re.findall("`([^`]*)`", text)
    assert commands and text.endswith(".") and "{" not in text
    for command in commands:
        program, *words = shlex.split(command)
        assert program in ("retrostep", "esptool")
        if program == "retrostep":
            parsed([word.replace("DATE TIME", "2026-11-20 17:30") for word in words])


def test_the_facts_of_an_error_are_filled_in() -> None:
    error = errors.OtherCore("It runs another core.", board="VIRTUAL", port="/dev/ttyUSB0")
    assert sentence(error) == (
        "It runs another core. Copy this version to the board: `retrostep deploy --board VIRTUAL --port /dev/ttyUSB0`."
    )


def test_a_fact_from_outside_is_one_harmless_word_of_the_command() -> None:
    text = cure(errors.Unassigned("", device="x; rm -rf ~\x1b[2J{port}"))
    assert shlex.split(re.findall("`([^`]*)`", text)[0])[3] == "x; rm -rf ~<U+001B>[2J{port}"


def test_an_error_without_a_cure_is_its_message() -> None:
    assert sentence(errors.DiskFull("The disk is full.")) == "The disk is full."
    assert sentence(ValueError("no error of Retrostep")) == "no error of Retrostep"
