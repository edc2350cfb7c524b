"""goods people and places."""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """goods people and places."""
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "matter",
            sa.Enum(
                "terms",
                "privacy",
                "news",
                name="matter",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("given_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("taken_back_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_consent_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index("ix_consent_user", ["user_id", "matter"], unique=False)

    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("used_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_recovery_code_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_code_code_hash")),
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_code_user_id"), ["user_id"], unique=False)

    op.create_table(
        "second_factor",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("begun_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_second_factor_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "complaint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("producer_id", sa.Integer(), nullable=True),
        sa.Column(
            "about",
            sa.Enum(
                "goods",
                "delivery",
                "money",
                "seller",
                "live",
                "personal_data",
                "other",
                name="about",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "answered",
                "closed",
                name="complaintstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("photo_keys", sa.JSON(), nullable=False),
        sa.Column("filed_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answer_by", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("settle_by", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_complaint_order_id_customer_order")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_complaint_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_complaint_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("code", name=op.f("uq_complaint_code")),
    )
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_complaint_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_complaint_producer_id"), ["producer_id"], unique=False)
        batch_op.create_index("ix_complaint_queue", ["state", "settle_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_complaint_user_id"), ["user_id"], unique=False)

    op.create_table(
        "goods_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "columns",
                "checking",
                "checked",
                "writing",
                "done",
                "cancelled",
                "failed",
                name="importstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("file_key", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("pictures_key", sa.String(), nullable=True),
        sa.Column("headings_at", sa.Integer(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("same", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("made_by_name", sa.String(), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=True),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by_id"],
            ["user_account.id"],
            name=op.f("fk_goods_import_made_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_goods_import_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_import")),
    )
    with op.batch_alter_table("goods_import", schema=None) as batch_op:
        batch_op.create_index("ix_goods_import_producer", ["producer_id", "id"], unique=False)

    op.create_table(
        "join_file",
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "sent",
                "sent_back",
                "approved",
                name="joinstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "food_paper",
            sa.Enum(
                "certificate",
                "commitment",
                "no_food",
                name="foodpaper",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("food_number", sa.String(), nullable=True),
        sa.Column("food_until", sa.Date(), nullable=True),
        sa.Column("food_key", sa.String(), nullable=True),
        sa.Column("begun_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("answered_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("answered_by_name", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["user_account.id"], name=op.f("fk_join_file_asked_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_join_file_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("producer_id", name=op.f("pk_join_file")),
    )
    with op.batch_alter_table("join_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_join_file_asked_by"), ["asked_by"], unique=False)
        batch_op.create_index("ix_join_file_queue", ["state", "sent_at"], unique=False)

    op.create_table(
        "seller_identity",
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("changed_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_by_name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_seller_identity_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("producer_id", name=op.f("pk_seller_identity")),
    )
    op.create_table(
        "complaint_word",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "side",
            sa.Enum(
                "asker",
                "producer",
                "staff",
                name="side",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"],
            ["complaint.id"],
            name=op.f("fk_complaint_word_complaint_id_complaint"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_word")),
    )
    with op.batch_alter_table("complaint_word", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_complaint_word_complaint_id"), ["complaint_id"], unique=False
        )

    op.create_table(
        "goods_import_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "added",
                "changed",
                "same",
                "refused",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["goods_import.id"],
            name=op.f("fk_goods_import_row_import_id_goods_import"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_import_row")),
        sa.UniqueConstraint(
            "import_id", "number", name=op.f("uq_goods_import_row_import_id_number")
        ),
    )
    op.create_table(
        "product_picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "ready",
                "broken",
                name="picturestate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("original_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("side", sa.Integer(), nullable=True),
        sa.Column("crop_x", sa.Integer(), nullable=False),
        sa.Column("crop_y", sa.Integer(), nullable=False),
        sa.Column("crop_side", sa.Integer(), nullable=False),
        sa.Column("alt", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("removed_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "crop_x BETWEEN 0 AND 1000 AND crop_y BETWEEN 0 AND 1000 AND crop_side BETWEEN 100 AND 1000",
            name=op.f("ck_product_picture_crop"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_picture_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_picture")),
    )
    with op.batch_alter_table("product_picture", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_product_picture_product_id"), ["product_id"], unique=False
        )

    op.create_table(
        "visit_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked",
                "accepted",
                "declined",
                name="visitstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("asked_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("people > 0", name=op.f("ck_visit_request_people")),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_visit_request_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_visit_request_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_request")),
    )
    with op.batch_alter_table("visit_request", schema=None) as batch_op:
        batch_op.create_index("ix_visit_request_desk", ["producer_id", "id"], unique=False)

    op.create_table(
        "lot_to_tell",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column(
            "happening",
            sa.Enum(
                "held",
                "recalled",
                "back_to_hold",
                "hold_ended",
                "recall_ended",
                name="happening",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("happened_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["user_account.id"], name=op.f("fk_lot_to_tell_entered_by_user_account")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_to_tell_lot_id_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_to_tell")),
    )
    with op.batch_alter_table("lot_to_tell", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lot_to_tell_lot_id"), ["lot_id"], unique=False)

    with op.batch_alter_table("producer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tax_number", sa.String(), nullable=True))

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("picture", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("picture_side", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("option_names", sa.JSON(), server_default="[]", nullable=False)
        )
        batch_op.add_column(sa.Column("keeps_for", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "keeps_unit",
                sa.Enum(
                    "day",
                    "month",
                    "year",
                    name="keepsunit",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("label", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("english", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(
            sa.Column("is_health_food", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("ad_certificate", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(
            sa.Column("photos_changed", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("edited_by_name", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("submitted_at", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("reviewed_version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("review_note", sa.String(), nullable=True))

    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("option_values", sa.JSON(), server_default="[]", nullable=False)
        )
        batch_op.add_column(sa.Column("length_cm", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("width_cm", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("height_cm", sa.Integer(), nullable=True))

    with op.batch_alter_table("village", schema=None) as batch_op:
        batch_op.add_column(sa.Column("story", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("story_en", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("directions", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("directions_en", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("told_by", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("told_at", core.db.UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.create_check_constraint(op.f("ck_product_keeps"), "keeps_for BETWEEN 1 AND 1000")
