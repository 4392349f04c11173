"""`retrostep rules`: the rules with their limits and sources, and other limits."""

from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import click
from rich.text import Text

from retrostep.cli._options import LIMIT, LOCAL_MOMENT, athlete_option, json_option, rule_argument, store_option, why_option
from retrostep.cli._store import entering, reading, saving
from retrostep.cli._who import login_name
from retrostep.output.lines import echo
from retrostep.output.rules import floor_text, limits_text, source_text
from retrostep.output.terminal import console, print_json, print_paragraph, styled
from retrostep.training.dates import day_start_ms
from retrostep.training.rules.catalog import BY_NAME, FLOOR, QUALITY, QUALITY_JUDGES, QUALITY_SOURCE, RULES
from retrostep.training.rules.rule import BELOW
from retrostep.units import local_date, utc


class _Group(click.Group):
    """A group in which the name of a rule is a command that explains the rule."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or the explanation of a rule. UsageError with the nearest names where it is neither."""
        name = args[0]
        if self.get_command(ctx, name) is not None or name.startswith("-"):
            return super().resolve_command(ctx, args)
        known = [*BY_NAME, QUALITY]
        if name not in known:
            close = get_close_matches(name, [*known, *self.commands], 3, 0.5)
            hint = f"Did you mean {' or '.join(close)}?" if close else f"Rules are {', '.join(known)}."
            raise click.UsageError(f"There is no rule {ascii(name[:60])}. {hint}")
        return name, _explain, [name, *args[1:]]


@click.group("rules", cls=_Group, invoke_without_command=True, subcommand_metavar="[RULE] | [COMMAND] [ARGS]...")
@json_option
@store_option
@click.pass_context
def command(context: click.Context, as_json: bool, store_url: str | None) -> None:
    """List the rules and their limits, explain one, or set limits.

    With the name of a rule, explains that rule and its study.

    \b
    Example:  retrostep rules
              retrostep rules session_spike
              retrostep rules set session_spike --warn 15 --fail 60 \\
                --athlete Ada --by "Coach Kim" --why "10 years of running"
    """
    context.obj = store_url
    if context.invoked_subcommand is not None:
        return
    with reading(store_url) as store:
        overrides = store.overrides()
    listed = [_listed(rule.rule, overrides) for rule in RULES]
    if as_json:
        print_json({"rules": [*listed, _QUALITY], "floor": FLOOR})
        return
    out = console()
    for rule in listed:
        limits = limits_text(rule["rule"], rule["warn"], rule["fail"])
        out.print(Text.assemble(styled(rule["rule"], "bold"), "  ", limits if rule["enabled"] else f"off by default; if set, {limits}"))
        for line in (f"Judges {rule['judges']}.", f"Basis: {rule['basis']}.", source_text(rule["source"])):
            print_paragraph(out, line, 2)
        for row, athlete in overrides:
            if row.rule == rule["rule"]:
                print_paragraph(out, _override_text(row, athlete), 2, "bold")
    out.print(Text.assemble(styled(QUALITY, "bold"), "  unknown where something is missing"))
    print_paragraph(out, f"Judges {QUALITY_JUDGES}.", 2)


_QUALITY: dict[str, Any] = {
    "rule": QUALITY,
    "judges": QUALITY_JUDGES,
    "warn": None,
    "fail": None,
    "unit": "",
    "exceeded": None,
    "enabled": True,
    "basis": "what cannot be judged",
    "source": QUALITY_SOURCE,
    "study": "",
    "overrides": [],
}


@click.command("explain")
@click.argument("rule")
@json_option
@store_option
@click.pass_context
def _explain(context: click.Context, rule: str, as_json: bool, store_url: str | None) -> None:
    """Explain a rule: what it compares, its limits, and what its study found."""
    with reading(store_url or context.obj) as store:
        overrides = store.overrides()
    listed = _QUALITY if rule == QUALITY else _listed(rule, overrides)
    if as_json:
        print_json({**listed, "floor": FLOOR if rule in _WITH_FLOOR else None})
        return
    out = console()
    limits = "unknown where something is missing" if rule == QUALITY else limits_text(rule, listed["warn"], listed["fail"])
    out.print(Text.assemble(styled(rule, "bold"), "  ", limits))
    lines = [f"Judges {listed['judges']}.", f"Basis: {listed['basis']}.", source_text(listed["source"]), listed["study"]]
    if rule in _WITH_FLOOR:
        lines.append(f"Floor, whatever the percentage: {floor_text()}. Basis: {FLOOR['basis']}.")
    for line in filter(None, lines):
        print_paragraph(out, line, 2)
    for row, athlete in overrides:
        if row.rule == rule:
            print_paragraph(out, _override_text(row, athlete), 2, "bold")


_WITH_FLOOR = ("session_spike", "weekly_volume", "share", "cadence_jump", "ladder")


@command.command("set")
@rule_argument([rule.rule for rule in RULES])
@click.option("--warn", type=LIMIT, metavar="LIMIT", help="Warn at this limit: 15, 15%, 5min, 90s (default: never warn).")
@click.option("--fail", type=LIMIT, metavar="LIMIT", help="Fail at this limit (default: never fail).")
@click.option("--off", is_flag=True, help="Do not use this rule.")
@athlete_option("Only for this athlete (default: for all).")
@click.option("--until", type=LOCAL_MOMENT, metavar="DATE", help="Until the end of this local date (default: no end).")
@click.option("--by", "who", required=True, metavar="NAME", help="Who decided it.")
@click.option("--why", required=True, metavar="TEXT", help="The reason. Every finding shows it.")
@store_option
@click.pass_context
def set_limits(
    context: click.Context,
    rule: str,
    warn: tuple[float, str] | None,
    fail: tuple[float, str] | None,
    off: bool,
    athlete: str | None,
    until: datetime | None,
    who: str,
    why: str,
    store_url: str | None,
) -> None:
    """Set the limits of RULE, from today on.

    The latest entry counts. An athlete's own limits replace those for all. A time without a unit is in seconds.

    \b
    Example:  retrostep rules set warm_up --warn 8min \\
                --by "Coach Kim" --why "cold weather"
              retrostep rules set acwr --warn 1.5 \\
                --by "Coach Kim" --why "we know it from football"
    """
    if off == (warn is not None or fail is not None):
        raise click.UsageError("Give --warn, --fail or both, or --off.")
    warn_value, fail_value = (None if limit is None else _in_unit_of(rule, limit) for limit in (warn, fail))
    to_at = None if until is None else datetime.fromtimestamp(day_start_ms(until.toordinal() + 1) / 1_000, UTC)
    _refuse_reversed(rule, warn_value, fail_value)
    if to_at is not None and to_at <= datetime.now(UTC):
        raise click.UsageError("--until lies in the past.")
    with entering(store_url or context.obj) as store, saving(store):
        store.override(rule, who=who, why=why, athlete=athlete, warn=warn_value, fail=fail_value, enabled=not off, to_at=to_at)
        name = "all" if athlete is None else store.find_athlete(athlete).name
    echo(f"{rule} for {name}: {limits_text(rule, warn_value, fail_value, not off)}.")


@command.command("reset")
@rule_argument([rule.rule for rule in RULES])
@athlete_option("Only the limits of this athlete (default: those for all).")
@why_option
@store_option
@click.pass_context
def reset(context: click.Context, rule: str, athlete: str | None, why: str, store_url: str | None) -> None:
    """Undo `set`: the limits that were set end now.

    They stay in the list, with who reset them and why. A check of an earlier date still uses them. For an athlete, the limits for all
    count then.

    \b
    Example:  retrostep rules set stretch --off \\
                --by "Coach Kim" --why "not here"
              retrostep rules reset stretch
    """
    with entering(store_url or context.obj) as store, saving(store):
        name = "all" if athlete is None else store.find_athlete(athlete).name
        ended = store.reset_limits(rule, athlete=athlete, who=login_name(), why=why)
    echo(f"{rule} for {name}: reset. Before: {limits_text(rule, ended.warn, ended.fail, ended.enabled)}.")


def _refuse_reversed(rule: str, warn: float | None, fail: float | None) -> None:
    """UsageError where the limit to warn at is beyond the limit to fail at, so that the warning could never be."""
    if warn is None or fail is None:
        return
    is_reversed = warn < fail if BY_NAME[rule].exceeded == BELOW else warn > fail
    if is_reversed:
        raise click.UsageError(f"--warn is beyond --fail: {rule} {limits_text(rule, warn, None)}, but {limits_text(rule, None, fail)}.")


def _in_unit_of(rule: str, limit: tuple[float, str]) -> float:
    """The number of `limit` in the rule's unit. UsageError where its unit is another one, or nothing can reach it."""
    value, unit = limit
    own = BY_NAME[rule].unit
    if unit not in ("", own):
        raise click.UsageError(f"The limits of {rule} are not in {unit}: it measures in {own}.")
    if value > _HIGHEST[own]:
        raise click.UsageError(f"{value:g} {own} is beyond what {rule} can measure: the highest limit is {_HIGHEST[own]:g} {own}.")
    return value


_HIGHEST = {"%": 1_000, "ratio": 100, "s": 604_800, "sessions": 100, "days": 366, "alerts": 100, "marks": 1, "stages": 3, "of 10": 10}
"""The highest limits by unit. A higher one would silently turn a rule off, for which there is `--off`."""


def _listed(name: str, overrides: list[tuple[Any, str | None]]) -> dict[str, Any]:
    rule = BY_NAME[name]
    walking = rule.walking
    return {
        "rule": rule.rule,
        "judges": rule.judges,
        "warn": rule.warn,
        "fail": rule.fail,
        "unit": rule.unit,
        "exceeded": rule.exceeded,
        "enabled": rule.enabled,
        "walking": None if walking is None else {"warn": walking.warn, "fail": walking.fail},
        "basis": rule.basis,
        "source": rule.source,
        "study": rule.study,
        "overrides": [_override(row, athlete) for row, athlete in overrides if row.rule == name],
    }


def _override_text(row: Any, athlete: str | None) -> str:
    """An override in one sentence, with local dates."""
    dates = f"from {local_date(row.from_at_ms)}"
    if row.to_at_ms is not None:
        dates += f" to {local_date(row.to_at_ms - 1)}"
    if row.reset_who is not None:
        dates += f" (reset by {row.reset_who}{f': {row.reset_why}' if row.reset_why else ''})"
    return f"For {athlete or 'all'}: {limits_text(row.rule, row.warn, row.fail, row.enabled)}; {dates}, by {row.who}: {row.why}"


def _override(row: Any, athlete: str | None) -> dict[str, Any]:
    return {
        "rule": row.rule,
        "athlete": athlete,
        "warn": row.warn,
        "fail": row.fail,
        "enabled": row.enabled,
        "from": utc(row.from_at_ms),
        "to": utc(row.to_at_ms),
        "who": row.who,
        "why": row.why,
        "reset_by": row.reset_who,
        "reset_why": row.reset_why,
    }
