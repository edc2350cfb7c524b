"""`flask db …`: the schema."""

import json

import click
from flask import current_app
from flask.cli import AppGroup

from core import migrations

database_commands = AppGroup("db", help="The database schema.")


@database_commands.command("upgrade")
@click.option("--json", "as_json", is_flag=True, help="print the revisions as JSON alone")
def upgrade(*, as_json: bool) -> None:
    """Bring the schema to the newest migration; running it again changes nothing."""
    database = current_app.extensions["database"]
    before = migrations.revision(database)
    migrations.upgrade(database)
    after = migrations.revision(database)
    if as_json:
        click.echo(json.dumps({"before": before, "after": after}))
    else:
        click.echo(f"schema at {after}")


@database_commands.command("draft")
@click.argument("name")
def draft(name: str) -> None:
    """Write the next numbered migration from what the models say (for developers)."""
    click.echo(migrations.draft(current_app.extensions["database"], name))
