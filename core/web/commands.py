"""`flask db …`: the schema."""

import click
from flask import current_app
from flask.cli import AppGroup

from core import migrations

database_commands = AppGroup("db", help="The database schema.")


@database_commands.command("upgrade")
def upgrade() -> None:
    """Bring the schema to the newest migration; running it again changes nothing."""
    database = current_app.extensions["database"]
    migrations.upgrade(database)
    click.echo(f"schema at {migrations.revision(database)}")


@database_commands.command("draft")
@click.argument("name")
def draft(name: str) -> None:
    """Write the next numbered migration from what the models say (for developers)."""
    click.echo(migrations.draft(current_app.extensions["database"], name))
