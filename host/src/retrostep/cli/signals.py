"""`retrostep signals`: what the device's pulses mean."""

import json

import click

from retrostep.cli._options import json_option
from retrostep.cli._signal_card import signals
from retrostep.output.lines import echo


@click.command("signals")
@json_option
def command(as_json: bool) -> None:
    """Show what the pulses of a device mean.

    The motor and the LED show the same pulses. A device without a motor shows them on its LED alone.

    \b
    Example:  retrostep signals
    """
    card = signals()
    if as_json:
        rows = [{"signal": s.name.lower(), "pulses_ms": list(s.pulses), "meaning": s.meaning, "action": s.action} for s in card]
        click.echo(json.dumps({"signals": rows}, indent=2))
        return
    width = max(len(signal.drawn) for signal in card)
    for signal in card:
        echo(f"{signal.drawn:<{width}}  {signal.meaning}{'.' if signal.action else ''} {signal.action}".rstrip(), width + 2)
