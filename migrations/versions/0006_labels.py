"""labels: sheets of one's own, and prints."""

import sqlalchemy as sa
from alembic import op

from core.db import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """labels: sheets of one's own, and prints."""
    op.create_table(
        "label_sheet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("label_width", sa.Integer(), nullable=False),
        sa.Column("label_height", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("top", sa.Integer(), nullable=False),
        sa.Column("gap_x", sa.Integer(), nullable=False),
        sa.Column("gap_y", sa.Integer(), nullable=False),
        sa.Column("offset_x", sa.Integer(), nullable=False),
        sa.Column("offset_y", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_label_sheet_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_sheet")),
        sa.UniqueConstraint(
            "producer_id", "name", name=op.f("uq_label_sheet_producer_id_name")
        ),
    )
    op.create_table(
        "label_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("serial_run_id", sa.Integer(), nullable=True),
        sa.Column("sheet", sa.JSON(), nullable=False),
        sa.Column(
            "form",
            sa.Enum("pdf", "svg", "zpl", name="form", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "drawing",
                "done",
                "refused",
                name="runstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("pages_done", sa.Integer(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("file_key", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("made_by_name", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_label_run_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_label_run_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["serial_run_id"],
            ["serial_run.id"],
            name=op.f("fk_label_run_serial_run_id_serial_run"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_run")),
        sa.UniqueConstraint("key", name=op.f("uq_label_run_key")),
    )
    with op.batch_alter_table("label_run", schema=None) as batch_op:
        batch_op.create_index("ix_label_run_lot_id", ["lot_id"], unique=False)
        batch_op.create_index("ix_label_run_producer", ["producer_id", "id"], unique=False)
