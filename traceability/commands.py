"""`flask trace …`: what floors above have to say joins the group there."""

from flask.cli import AppGroup

trace = AppGroup("trace", help="Lots, their events and recalls.")
