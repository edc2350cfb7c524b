"""live shows and feeds."""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """live shows and feeds."""
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("meta", name="channel", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("producer_id", sa.Integer(), nullable=True),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("built_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("etag", sa.String(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("alarm", sa.String(), nullable=True),
        sa.Column("fetched_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_feed_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("token", name=op.f("uq_feed_token")),
    )
    with op.batch_alter_table("feed", schema=None) as batch_op:
        batch_op.create_index("uq_feed_producer", ["channel", "producer_id"], unique=True)
        batch_op.create_index(
            "uq_feed_shop",
            ["channel"],
            unique=True,
            sqlite_where=sa.text("producer_id IS NULL"),
            postgresql_where=sa.text("producer_id IS NULL"),
        )

    op.create_table(
        "live_show",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "live",
                "ended",
                name="showstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("next_bag_no", sa.Integer(), nullable=False),
        sa.Column("pinned_code", sa.String(), nullable=True),
        sa.Column("pinned_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_live_show_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_show")),
        sa.UniqueConstraint("slug", name=op.f("uq_live_show_slug")),
    )
    with op.batch_alter_table("live_show", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_show_producer_id"), ["producer_id"], unique=False)

    op.create_table(
        "live_bag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("show_id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("external_user", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("bag_no", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "checked_out",
                "expired",
                "cancelled",
                name="bagstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["show_id"], ["live_show.id"], name=op.f("fk_live_bag_show_id_live_show")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_bag")),
        sa.UniqueConstraint("show_id", "bag_no", name=op.f("uq_live_bag_show_id_bag_no")),
        sa.UniqueConstraint(
            "show_id",
            "platform",
            "external_user",
            name=op.f("uq_live_bag_show_id_platform_external_user"),
        ),
    )
    op.create_table(
        "live_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("show_id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("external_user", sa.String(), nullable=True),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("intent", sa.String(), nullable=False),
        sa.Column(
            "lane",
            sa.Enum(
                "auto",
                "review",
                "ignore",
                name="lane",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("parsed", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("handled_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("edited_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("removed_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["show_id"], ["live_show.id"], name=op.f("fk_live_comment_show_id_live_show")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_comment")),
        sa.UniqueConstraint(
            "platform", "external_id", name=op.f("uq_live_comment_platform_external_id")
        ),
    )
    with op.batch_alter_table("live_comment", schema=None) as batch_op:
        batch_op.create_index(
            "ix_live_comment_lane", ["show_id", "lane", "handled_at", "id"], unique=False
        )

    op.create_table(
        "live_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("show_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("aliases", sa.String(), nullable=False),
        sa.Column("options", sa.String(), nullable=False),
        sa.Column("live_price", core.db.MoneyType(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.CheckConstraint("0 <= held AND held <= cap", name=op.f("ck_live_item_within_cap")),
        sa.ForeignKeyConstraint(
            ["show_id"], ["live_show.id"], name=op.f("fk_live_item_show_id_live_show")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_live_item_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_item")),
        sa.UniqueConstraint("show_id", "code", name=op.f("uq_live_item_show_id_code")),
    )
    op.create_table(
        "live_claim",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("show_id", sa.Integer(), nullable=False),
        sa.Column("bag_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "waiting",
                "released",
                "expired",
                name="claimstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["bag_id"], ["live_bag.id"], name=op.f("fk_live_claim_bag_id_live_bag")
        ),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["live_comment.id"], name=op.f("fk_live_claim_comment_id_live_comment")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["live_item.id"], name=op.f("fk_live_claim_item_id_live_item")
        ),
        sa.ForeignKeyConstraint(
            ["show_id"], ["live_show.id"], name=op.f("fk_live_claim_show_id_live_show")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_claim")),
    )
    with op.batch_alter_table("live_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_live_claim_bag_id"), ["bag_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_live_claim_comment_id"), ["comment_id"], unique=False)
        batch_op.create_index("ix_live_claim_expiry", ["state", "expires_at"], unique=False)
        batch_op.create_index("ix_live_claim_item", ["item_id", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_live_claim_show_id"), ["show_id"], unique=False)

    op.create_table(
        "claim_hold",
        sa.Column("reservation_id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["live_claim.id"], name=op.f("fk_claim_hold_claim_id_live_claim")
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_claim_hold_reservation_id_reservation"),
        ),
        sa.PrimaryKeyConstraint("reservation_id", name=op.f("pk_claim_hold")),
    )
    with op.batch_alter_table("claim_hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claim_hold_claim_id"), ["claim_id"], unique=False)
