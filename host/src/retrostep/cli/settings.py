"""`retrostep settings`: side, placement, motor, LED and more of a device."""

import json
from typing import Any

import click
from retrostep_core.codes import PLACEMENT_NAMES

from retrostep.cli._bars import progress_bar
from retrostep.cli._options import LIMIT, WholeNumber, json_option
from retrostep.cli._ports import one_port, optional_port
from retrostep.cli._stop import after_ctrl_c
from retrostep.device.settings import NICKNAME_MOST, Settings, change_settings
from retrostep.output.lines import echo
from retrostep.units import duration

ON_OFF = click.Choice(["on", "off"])
_ON_OFF = {"on": 1, "off": 0}
_BLE = {"off": 0, "on": 1, "double": 2}
_AUTO_STOP_S = (10, 900)
_TITLES = {
    "side": "side",
    "placement": "placement",
    "haptic": "haptic",
    "led": "LED",
    "auto_start": "auto start",
    "auto_stop_s": "auto stop",
    "nickname": "nickname",
    "ble": "BLE",
}


def _nickname(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    text = " ".join(value.split())
    if len(text) > NICKNAME_MOST or not (text.isascii() and text.isprintable()):
        raise click.BadParameter(f"write at most {NICKNAME_MOST} letters, digits and signs of plain English; '' for none.")
    return text


def _auto_stop(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        seconds, unit = LIMIT.convert(value, parameter, context)
    except click.BadParameter:
        seconds, unit = 0, ""
    if unit != "s" or not _AUTO_STOP_S[0] <= seconds <= _AUTO_STOP_S[1]:
        raise click.BadParameter(f"{ascii(value[:60])}: write a time from 10s to 15min.")
    return round(seconds)


@click.command("settings")
@optional_port
@click.option("--side", type=click.Choice(["left", "right"]), help="The leg that wears it. A calibrated mount of the other leg is removed.")
@click.option("--placement", type=click.Choice(PLACEMENT_NAMES), help="Where it is worn. Only on the shank it tells the direction.")
@click.option("--haptic", type=WholeNumber(0, 100), metavar="PERCENT", help="Strength of the vibration; 0 is off.")
@click.option("--led", type=ON_OFF, help="The LED.")
@click.option("--auto-start", type=ON_OFF, help="Whether the first step starts a session. When off, only the button does.")
@click.option("--auto-stop", "auto_stop_s", callback=_auto_stop, metavar="TIME", help="Stillness that ends it: 10s to 15min.")
@click.option("--nickname", callback=_nickname, metavar="TEXT", help="A name to show beside the device's; '' for none.")
@click.option("--ble", type=click.Choice(list(_BLE)), help="Bluetooth during sessions. double: for apps that show half the cadence.")
@json_option
def command(port: str | None, as_json: bool, **options: Any) -> None:
    """Show and change the settings of a device.

    Without an option that sets one, it shows them. They are saved on the device, survive power cuts, and hold at once: its program is
    stopped for some seconds and started again. A device in a session is left alone.

    \b
    Example:  retrostep settings
              retrostep settings --side right --haptic 60 --nickname 'Ada right'
    """
    named = {"ble": _BLE, "led": _ON_OFF, "auto_start": _ON_OFF}
    changes = {name: named.get(name, {}).get(value, value) for name, value in options.items() if value is not None}
    port = one_port(port)
    with after_ctrl_c("The device has the old settings or the new ones."), progress_bar(port, not as_json) as progress:
        progress("settings", 0, 0)
        settings = change_settings(port, changes)
    if as_json:
        facts = {"port": port, "device": settings.device, "settings": settings.values, "own": list(settings.own)}
        click.echo(json.dumps({**facts, "mount": settings.mount or None}, indent=2))
        return
    _print(settings)


def _print(settings: Settings) -> None:
    echo(settings.device)
    for name, title in _TITLES.items():
        where = "" if name in settings.own else " (default)"
        echo(f"  {title:<11} {_shown(name, settings.values[name])}{where}", 14)
    echo(f"  {'mount':<11} {settings.mount or 'as board.json says'}{' (calibrated)' if settings.mount else ''}", 14)
    if settings.lost_mount:
        echo("The calibrated mount was found on the other leg and is removed. The device finds it from the first strides.")


def _shown(name: str, value: Any) -> str:
    if name in ("led", "auto_start"):
        return "on" if value else "off"
    if name == "ble":
        return {1: "on", 2: "on, with doubled cadence"}.get(value, "off")
    if name == "haptic":
        return f"{value} %"
    if name == "auto_stop_s" and isinstance(value, int):
        return duration(value * 1_000)
    return str(value) if value else "none"
