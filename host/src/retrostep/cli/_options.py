"""Options that several commands share."""

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
store_option = click.option(
    "--store", "store_url", metavar="URL", help="The store to use, sqlite:///PATH (default: the one in the data folder)."
)
