"""`retrostep rules`: what is judged, by which limits, and what they rest on."""

from datetime import datetime, time, timedelta
from typing import Any

import click
from rich.text import Text

from retrostep.archive.store import Store
from retrostep.cli._options import LOCAL_MOMENT, athlete_option, json_option, store_option
from retrostep.output.sessions import utc
from retrostep.output.terminal import console, print_json, say, styled
from retrostep.training.rules import BY_NAME, QUALITY, QUALITY_JUDGES, QUALITY_SOURCE, RULES


@click.group("rules", invoke_without_command=True)
@json_option
@store_option
@click.pass_context
def command(context: click.Context, as_json: bool, store_url: str | None) -> None:
    """List the progression rules with their limits and sources, or set other limits.

    \b
    Example:  retrostep rules
              retrostep rules set session_spike --warn 15 --fail 30 --athlete Ada --by "Coach Kim" --why "10 years of running"
    """
    context.obj = store_url
    if context.invoked_subcommand is not None:
        return
    with Store(store_url) as store:
        overrides = [_override(row, name) for row, name in store.overrides()]
    listed = [_listed(rule.rule, [override for override in overrides if override["rule"] == rule.rule]) for rule in RULES]
    if as_json:
        quality = {"rule": QUALITY, "judges": QUALITY_JUDGES, "warn": None, "fail": None, "unit": "", "exceeded": None, "enabled": True}
        print_json({"rules": [*listed, {**quality, "basis": "what cannot be judged", "source": QUALITY_SOURCE, "overrides": []}]})
        return
    out = console()
    for rule in listed:
        given = [name for name in ("warn", "fail") if rule[name] is not None]
        limits = [f"{name} {rule['exceeded']} {rule[name]:g} {rule['unit']}" for name in given]
        title = Text.assemble(styled(rule["rule"], "bold"), "  ", ", ".join(limits), "" if rule["enabled"] else "  (off)")
        out.print(title)
        for line in (f"Judges {rule['judges']}.", f"Basis: {rule['basis']}.", f"Source: {rule['source']}."):
            say(out, line, 2)
        for override in rule["overrides"]:
            who = override["athlete"] or "all"
            state = "" if override["enabled"] else " off"
            words = f"Set for {who}:{state} warn {override['warn']}, fail {override['fail']} from {override['from']}"
            words += f" to {override['to']}" if override["to"] else ""
            say(out, f"{words}, by {override['who']}: {override['why']}", 2, "yellow")
    out.print(Text.assemble(styled(QUALITY, "bold"), "  unknown where something is missing"))
    say(out, f"Judges {QUALITY_JUDGES}.", 2)


@command.command("set")
@click.argument("rule", type=click.Choice([rule.rule for rule in RULES]), metavar="RULE")
@click.option("--warn", type=float, help="Warn beyond this, in the rule's unit; without it there is no warning.")
@click.option("--fail", type=float, help="The limit, in the rule's unit; without it there is none.")
@click.option("--off", is_flag=True, help="Do not judge by this rule.")
@athlete_option("For this athlete only (default: for all).")
@click.option("--until", type=LOCAL_MOMENT, metavar="DATE", help="Up to this local date (default: for good).")
@click.option("--by", "who", required=True, metavar="NAME", help="Who decided it.")
@click.option("--why", required=True, metavar="TEXT", help="The reason; it is shown with every finding.")
@store_option
@click.pass_context
def set_limits(
    context: click.Context,
    rule: str,
    warn: float | None,
    fail: float | None,
    off: bool,
    athlete: str | None,
    until: datetime | None,
    who: str,
    why: str,
    store_url: str | None,
) -> None:
    """Set a rule's limits from today on; who and why are kept and shown.

    What was set last counts; an athlete's own limits go before those for all.

    \b
    Example:  retrostep rules set acwr --warn 1.5 --by "Coach Kim" --why "we know it from football"
    """
    if off == (warn is not None or fail is not None):
        raise click.UsageError("Give --warn, --fail or both, or --off.")
    if any(value is not None and not 0 <= value < 1e6 for value in (warn, fail)):
        raise click.UsageError("Limits lie between 0 and 1000000.")
    to_at = None if until is None else datetime.combine(until.date() + timedelta(days=1), time.min).astimezone()
    with Store(store_url or context.obj) as store:
        store.override(rule, who=who, why=why, athlete=athlete, warn=warn, fail=fail, enabled=not off, to_at=to_at)
    click.echo(f"Set {rule} for {'all' if athlete is None else 'that athlete'}. `retrostep rules` shows it.")


def _listed(name: str, overrides: list[dict[str, Any]]) -> dict[str, Any]:
    rule = BY_NAME[name]
    return {
        "rule": rule.rule,
        "judges": rule.judges,
        "warn": rule.warn,
        "fail": rule.fail,
        "unit": rule.unit,
        "exceeded": rule.exceeded,
        "enabled": rule.enabled,
        "basis": rule.basis,
        "source": rule.source,
        "overrides": overrides,
    }


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
    }
