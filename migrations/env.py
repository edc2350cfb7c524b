"""Alembic's entry: runs on the connection that core/migrations.py opened."""

from alembic import context

from core.db import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
