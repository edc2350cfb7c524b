"""`flask user …`: accounts of those who sell, help and run the shop."""

import json

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from accounts import second_factors, sessions, standing, tokens, users
from accounts.audit import SYSTEM
from accounts.tokens import Purpose
from accounts.users import Role, User
from catalog import grants, members, producers
from core.clock import utc_now
from core.errors import Refusal

user_commands = AppGroup("user", help="Accounts.")


@user_commands.command("add")
@click.argument("login", metavar="PHONE_OR_EMAIL")
@click.option(
    "--role", type=click.Choice(["staff", "producer", "helper"]), required=True, help="What for."
)
@click.option("--name", default="", help="The person's name; by default the phone or e-mail.")
@click.option("--producer", "slug", help="Whose desk (address part of its page), for a producer.")
@click.option("--commune", "code", help="Official code of the commune to help in, for a helper.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def add(
    *, login: str, role: str, name: str, slug: str | None, code: str | None, as_json: bool
) -> None:
    """Open an account, or give one that exists this role; print a link to set its password.

    The link works once, within 7 days. Asking again prints a new one and voids the old.
    """
    wanted = Role(role)
    if slug and wanted is not Role.PRODUCER:
        raise click.UsageError("--producer goes with --role producer")
    if code and wanted is not Role.HELPER:
        raise click.UsageError("--commune goes with --role helper")
    settings = current_app.config["SETTINGS"]
    try:
        with current_app.extensions["database"].transaction() as session:
            user = _account(session, login, name, wanted)
            if slug:
                place = producers.get_by_slug(session, slug)
                members.add(session, place, user, actor=SYSTEM, now=utc_now())
            if code:
                grants.give(session, user, code, actor=SYSTEM, now=utc_now())
            token = tokens.issue(session, user, Purpose.SET_PASSWORD, now=utc_now())
            known_as = user.phone or user.email
    except Refusal as refusal:
        raise click.ClickException(str(refusal.message) or type(refusal).__name__) from refusal
    link = f"{settings.PUBLIC_URL}/tai-khoan/mat-khau/{token}"
    if as_json:
        click.echo(json.dumps({"user": known_as, "role": role, "set_password": link}))
    else:
        click.echo(f"{known_as} ({role}), set a password within 7 days:\n{link}")


def _account(session: Session, login: str, name: str, role: Role) -> User:
    parsed = users.parse_login(login)
    user = users.find(session, parsed)
    if user is None:
        return users.register(
            session, parsed, name=name or str(parsed), password_hash=None, now=utc_now(), role=role
        )
    standing.change_role(session, user, role, actor=SYSTEM, now=utc_now())
    return user


@user_commands.command("code-off")
@click.argument("login", metavar="PHONE_OR_EMAIL")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def code_off(*, login: str, as_json: bool) -> None:
    """Switch off the log-in code of someone who lost phone and paper; their log-ins end."""
    with current_app.extensions["database"].transaction() as session:
        user = users.find_by_login(session, login)
        if user is None:
            raise click.ClickException("there is no such account")
        second_factors.switch_off(session, user, actor=SYSTEM, now=utc_now())
        sessions.end_all(session, user.id)
        known_as = user.phone or user.email
    click.echo(json.dumps({"user": known_as, "code": "off"}) if as_json else f"{known_as}: off")
