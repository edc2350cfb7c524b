"""trade and trace."""

import sqlalchemy as sa
from alembic import op

import core.db
from core.text import fold

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """trade and trace."""
    op.create_table(
        "enumeration_alert",
        sa.Column("hour", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("pk_enumeration_alert")),
    )
    op.create_table(
        "inbox_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("received_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "taken",
                "done",
                "foreign",
                "needs_a_look",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("why", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_event")),
        sa.UniqueConstraint(
            "provider", "scope", "event_id", name=op.f("uq_inbox_event_provider_scope_event_id")
        ),
    )
    with op.batch_alter_table("inbox_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_inbox_event_received_at"), ["received_at"], unique=False
        )

    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("signed_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoint")),
    )
    op.create_table(
        "log_entry",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("added_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_log_entry")),
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_log_node")),
    )
    op.create_table(
        "pin_try",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ends_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_pin_try")),
    )
    op.create_table(
        "proof",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof")),
    )
    op.create_table(
        "scan_salt",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_scan_salt")),
    )
    op.create_table(
        "scan_seen",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("province_code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code", "day", "mark", name=op.f("pk_scan_seen")),
    )
    op.create_table(
        "delivery_address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("province_code", sa.String(), nullable=False),
        sa.Column("commune_code", sa.String(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["commune_code"],
            ["admin_unit.code"],
            name=op.f("fk_delivery_address_commune_code_admin_unit"),
        ),
        sa.ForeignKeyConstraint(
            ["province_code"],
            ["admin_unit.code"],
            name=op.f("fk_delivery_address_province_code_admin_unit"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_delivery_address_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_address")),
    )
    with op.batch_alter_table("delivery_address", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_address_user", ["user_id", "id"], unique=False)
        batch_op.create_index(
            "uq_delivery_address_default",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )

    op.create_table(
        "carton",
        sa.Column("sscc", sa.String(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("packed_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("packed_by_name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_carton_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("sscc", name=op.f("pk_carton")),
    )
    with op.batch_alter_table("carton", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carton_producer_id"), ["producer_id"], unique=False)

    op.create_table(
        "commission_rate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("rate_bp", sa.Integer(), nullable=False),
        sa.Column("valid_from", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("set_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "rate_bp BETWEEN 0 AND 3000", name=op.f("ck_commission_rate_rate_within")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_commission_rate_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["set_by"], ["user_account.id"], name=op.f("fk_commission_rate_set_by_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_rate")),
    )
    with op.batch_alter_table("commission_rate", schema=None) as batch_op:
        batch_op.create_index(
            "ix_commission_rate_of", ["producer_id", "valid_from", "id"], unique=False
        )

    op.create_table(
        "connection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=True),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "shut",
                name="connectionstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("sealed_token", sa.String(), nullable=False),
        sa.Column("sealed_credentials", sa.String(), nullable=False),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("shut_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_connection_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_connection_token_hash")),
    )
    with op.batch_alter_table("connection", schema=None) as batch_op:
        batch_op.create_index(
            "ix_connection_owner", ["producer_id", "provider", "state"], unique=False
        )

    op.create_table(
        "gift_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("story", sa.String(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=True),
        sa.Column("price", core.db.MoneyType(), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "live",
                "ended",
                name="setstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("price IS NULL OR price > 0", name=op.f("ck_gift_set_price_positive")),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_gift_set_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift_set")),
        sa.UniqueConstraint("slug", name=op.f("uq_gift_set_slug")),
    )
    with op.batch_alter_table("gift_set", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gift_set_producer_id"), ["producer_id"], unique=False)
        batch_op.create_index("ix_gift_set_state", ["state", "id"], unique=False)

    op.create_table(
        "gs1_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gln", sa.String(), nullable=False),
        sa.Column("extension", sa.String(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_gs1_place_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gs1_place")),
        sa.UniqueConstraint("gln", "extension", name=op.f("uq_gs1_place_gln_extension")),
    )
    with op.batch_alter_table("gs1_place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gs1_place_producer_id"), ["producer_id"], unique=False)

    op.create_table(
        "payout",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "paid",
                "received",
                "adjustment",
                name="payoutkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "written",
                "dropped",
                name="payoutstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=True),
        sa.Column("second_name", sa.String(), nullable=True),
        sa.Column("ended_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_payout_some")),
        sa.ForeignKeyConstraint(
            ["by_id"], ["user_account.id"], name=op.f("fk_payout_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_payout_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["user_account.id"], name=op.f("fk_payout_second_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
    )
    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payout_producer_id"), ["producer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payout_state"), ["state"], unique=False)

    op.create_table(
        "remittance_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("cod_total", core.db.MoneyType(), nullable=False),
        sa.Column("fee_total", core.db.MoneyType(), nullable=False),
        sa.Column("promo", core.db.MoneyType(), nullable=False),
        sa.Column("net", core.db.MoneyType(), nullable=False),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.CheckConstraint(
            "net = cod_total - fee_total + promo", name=op.f("ck_remittance_batch_adds_up")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_remittance_batch_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remittance_batch")),
        sa.UniqueConstraint(
            "producer_id", "digest", name=op.f("uq_remittance_batch_producer_id_digest")
        ),
    )
    op.create_table(
        "voucher",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("amount", core.db.MoneyType(), nullable=True),
        sa.Column("most", core.db.MoneyType(), nullable=True),
        sa.Column("minimum", core.db.MoneyType(), nullable=False),
        sa.Column("starts_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("usage_limit", sa.Integer(), nullable=True),
        sa.Column("phone_limit", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column(
            "funded_by",
            sa.Enum(
                "platform",
                "producer",
                name="funder",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("producer_id", sa.Integer(), nullable=True),
        sa.Column("show", sa.String(), nullable=True),
        sa.Column("stopped_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "funded_by <> 'producer' OR producer_id IS NOT NULL",
            name=op.f("ck_voucher_funder_known"),
        ),
        sa.CheckConstraint(
            "(percent IS NULL) <> (amount IS NULL)", name=op.f("ck_voucher_one_of_two")
        ),
        sa.CheckConstraint(
            "percent IS NULL OR percent BETWEEN 1 AND 90", name=op.f("ck_voucher_percent")
        ),
        sa.CheckConstraint("used >= 0", name=op.f("ck_voucher_used_counts")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_voucher_created_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_voucher_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("code", name=op.f("uq_voucher_code")),
    )
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voucher_producer_id"), ["producer_id"], unique=False)

    op.create_table(
        "carrier_fee",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("method_id", sa.Integer(), nullable=False),
        sa.Column("amount", core.db.MoneyType(), nullable=True),
        sa.Column("said", sa.String(), nullable=True),
        sa.Column("kept_until", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["method_id"],
            ["delivery_method.id"],
            name=op.f("fk_carrier_fee_method_id_delivery_method"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_carrier_fee")),
    )
    with op.batch_alter_table("carrier_fee", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carrier_fee_kept_until"), ["kept_until"], unique=False)
        batch_op.create_index(batch_op.f("ix_carrier_fee_method_id"), ["method_id"], unique=False)

    op.create_table(
        "cart_set",
        sa.Column("cart_id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_cart_set_some")),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_cart_set_cart_id_cart")),
        sa.ForeignKeyConstraint(
            ["set_id"], ["gift_set.id"], name=op.f("fk_cart_set_set_id_gift_set")
        ),
        sa.PrimaryKeyConstraint("cart_id", "set_id", name=op.f("pk_cart_set")),
    )
    op.create_table(
        "delivery_band",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("method_id", sa.Integer(), nullable=False),
        sa.Column("over_g", sa.Integer(), nullable=False),
        sa.Column("extra", core.db.MoneyType(), nullable=False),
        sa.CheckConstraint("over_g > 0 AND extra >= 0", name=op.f("ck_delivery_band_not_negative")),
        sa.ForeignKeyConstraint(
            ["method_id"],
            ["delivery_method.id"],
            name=op.f("fk_delivery_band_method_id_delivery_method"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_band")),
        sa.UniqueConstraint("method_id", "over_g", name=op.f("uq_delivery_band_method_id_over_g")),
    )
    op.create_table(
        "delivery_zone",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("method_id", sa.Integer(), nullable=False),
        sa.Column("province_code", sa.String(), nullable=False),
        sa.Column("commune_code", sa.String(), nullable=False),
        sa.Column("is_served", sa.Boolean(), nullable=False),
        sa.Column("fee", core.db.MoneyType(), nullable=True),
        sa.CheckConstraint(
            "fee IS NULL OR fee >= 0", name=op.f("ck_delivery_zone_fee_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["method_id"],
            ["delivery_method.id"],
            name=op.f("fk_delivery_zone_method_id_delivery_method"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_zone")),
        sa.UniqueConstraint(
            "method_id",
            "province_code",
            "commune_code",
            name=op.f("uq_delivery_zone_method_id_province_code_commune_code"),
        ),
    )
    op.create_table(
        "link_target",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("href", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("media", sa.String(), nullable=True),
        sa.Column("context", sa.String(), nullable=True),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_link_target_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_target")),
    )
    with op.batch_alter_table("link_target", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_target_product_id"), ["product_id"], unique=False)

    op.create_table(
        "order_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.CheckConstraint("pieces > 0 AND amount >= 0", name=op.f("ck_order_set_some")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_order_set_order_id_customer_order")
        ),
        sa.ForeignKeyConstraint(
            ["set_id"], ["gift_set.id"], name=op.f("fk_order_set_set_id_gift_set")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_set")),
    )
    with op.batch_alter_table("order_set", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_set_order_id"), ["order_id"], unique=False)

    op.create_table(
        "saved_goods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("guest_hash", sa.String(), nullable=True),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("saved_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(user_id IS NULL) <> (guest_hash IS NULL)", name=op.f("ck_saved_goods_one_owner")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_saved_goods_product_id_product")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_saved_goods_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_goods")),
        sa.UniqueConstraint(
            "guest_hash", "product_id", name=op.f("uq_saved_goods_guest_hash_product_id")
        ),
        sa.UniqueConstraint(
            "user_id", "product_id", name=op.f("uq_saved_goods_user_id_product_id")
        ),
    )
    op.create_table(
        "scan_daily",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("province_code", sa.String(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_scan_daily_product_id_product")
        ),
        sa.PrimaryKeyConstraint("code", "day", "province_code", name=op.f("pk_scan_daily")),
    )
    with op.batch_alter_table("scan_daily", schema=None) as batch_op:
        batch_op.create_index("ix_scan_daily_product", ["product_id", "day"], unique=False)

    op.create_table(
        "season_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked",
                "waiting",
                "told",
                "stopped",
                name="callstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("confirmed_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("asked_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("told_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(email IS NULL) <> (phone IS NULL)", name=op.f("ck_season_call_one_way")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_season_call_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_season_call")),
        sa.UniqueConstraint("product_id", "email", name=op.f("uq_season_call_product_id_email")),
        sa.UniqueConstraint("product_id", "phone", name=op.f("uq_season_call_product_id_phone")),
    )
    with op.batch_alter_table("season_call", schema=None) as batch_op:
        batch_op.create_index("ix_season_call_waiting", ["product_id", "state"], unique=False)

    op.create_table(
        "voucher_redemption",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("given_back_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("over_limit", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["customer_order.id"],
            name=op.f("fk_voucher_redemption_order_id_customer_order"),
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_redemption_voucher_id_voucher")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_redemption")),
        sa.UniqueConstraint("order_id", name=op.f("uq_voucher_redemption_order_id")),
    )
    with op.batch_alter_table("voucher_redemption", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voucher_redemption_phone"), ["phone"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_voucher_redemption_voucher_id"), ["voucher_id"], unique=False
        )

    op.create_table(
        "gift_set_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_gift_set_item_some")),
        sa.ForeignKeyConstraint(
            ["set_id"], ["gift_set.id"], name=op.f("fk_gift_set_item_set_id_gift_set")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_gift_set_item_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift_set_item")),
        sa.UniqueConstraint(
            "set_id", "variant_id", name=op.f("uq_gift_set_item_set_id_variant_id")
        ),
    )
    with op.batch_alter_table("gift_set_item", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_gift_set_item_variant_id"), ["variant_id"], unique=False
        )

    op.create_table(
        "known_gtin",
        sa.Column("gtin", sa.String(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("since", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_known_gtin_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("gtin", name=op.f("pk_known_gtin")),
    )
    with op.batch_alter_table("known_gtin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_known_gtin_variant_id"), ["variant_id"], unique=False)

    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "sale",
                "shipping",
                "discount_platform_funded",
                "commission",
                "custody_producer",
                "cod_custody_producer",
                "cod_custody_carrier",
                "cod_remitted",
                "refund",
                "carrier_fee",
                "tax_withheld",
                "payout",
                "adjustment",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=True),
        sa.Column("order_code", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"], ["seller_order.id"], name=op.f("fk_ledger_entry_part_id_seller_order")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_ledger_entry_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("kind", "source", name=op.f("uq_ledger_entry_kind_source")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entry_of", ["producer_id", "at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_entry_part_id"), ["part_id"], unique=False)

    op.create_table(
        "price_point",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("price", core.db.MoneyType(), nullable=True),
        sa.Column("is_sale", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_price_point_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_point")),
    )
    with op.batch_alter_table("price_point", schema=None) as batch_op:
        batch_op.create_index("ix_price_point_variant", ["variant_id", "at", "id"], unique=False)

    op.create_table(
        "return_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("seller_order_id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved",
                "rejected",
                "received",
                "refunded",
                "closed",
                name="returnstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "broken",
                "spoiled",
                "wrong",
                "missing",
                "not_as_shown",
                "changed_mind",
                name="returnreason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("photo_keys", sa.JSON(), nullable=False),
        sa.Column("pay_to", sa.String(), nullable=True),
        sa.Column("asked_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answer_by", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("answered_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("goods_back", sa.Boolean(), nullable=False),
        sa.Column("appealed_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("received_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("refunded_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.Column("shipping", core.db.MoneyType(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["customer_order.id"],
            name=op.f("fk_return_request_order_id_customer_order"),
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_return_request_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["seller_order_id"],
            ["seller_order.id"],
            name=op.f("fk_return_request_seller_order_id_seller_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_request")),
    )
    with op.batch_alter_table("return_request", schema=None) as batch_op:
        batch_op.create_index("ix_return_request_clock", ["state", "answer_by"], unique=False)
        batch_op.create_index(
            "ix_return_request_desk", ["producer_id", "state", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_return_request_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_return_request_seller_order_id"), ["seller_order_id"], unique=False
        )

    op.create_table(
        "sale",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("price", core.db.MoneyType(), nullable=False),
        sa.Column("regular", core.db.MoneyType(), nullable=False),
        sa.Column("starts_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("set_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["set_by"], ["user_account.id"], name=op.f("fk_sale_set_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_sale_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale")),
    )
    with op.batch_alter_table("sale", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sale_variant_id"), ["variant_id"], unique=False)

    op.create_table(
        "shipment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_order_id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("carrier_name", sa.String(), nullable=False),
        sa.Column("waybill", sa.String(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "picked_up",
                "in_transit",
                "out_for_delivery",
                "waiting_redelivery",
                "delivered",
                "returning",
                "returned",
                "cancelled",
                "problem",
                name="stage",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("cod", core.db.MoneyType(), nullable=False),
        sa.Column("fee", core.db.MoneyType(), nullable=True),
        sa.Column("weight_g", sa.Integer(), nullable=False),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("told_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.String(), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("needs_look", sa.Boolean(), nullable=False),
        sa.Column("claim", sa.String(), nullable=True),
        sa.CheckConstraint(
            "cod >= 0 AND (fee IS NULL OR fee >= 0)", name=op.f("ck_shipment_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_shipment_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["seller_order_id"],
            ["seller_order.id"],
            name=op.f("fk_shipment_seller_order_id_seller_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment")),
        sa.UniqueConstraint(
            "carrier",
            "producer_id",
            "waybill",
            name=op.f("uq_shipment_carrier_producer_id_waybill"),
        ),
        sa.UniqueConstraint("code", name=op.f("uq_shipment_code")),
    )
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shipment_needs_look"), ["needs_look"], unique=False)
        batch_op.create_index(batch_op.f("ix_shipment_producer_id"), ["producer_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_shipment_seller_order_id"), ["seller_order_id"], unique=False
        )
        batch_op.create_index("ix_shipment_state", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_shipment_waybill"), ["waybill"], unique=False)

    op.create_table(
        "bank_txn",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=True),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("txn_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("sub_account", sa.String(), nullable=True),
        sa.Column(
            "direction",
            sa.Enum(
                "in", "out", name="direction", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.Column("memo", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("counter_name", sa.String(), nullable=True),
        sa.Column("counter_account", sa.String(), nullable=True),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "matched",
                "short",
                "over",
                "late",
                "unmatched",
                "ambiguous",
                "resolved",
                name="bankstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "why",
            sa.Enum(
                "no_code",
                "unknown_code",
                "two_codes",
                "wrong_account",
                "not_a_transfer",
                "maybe_repeated",
                "repeated",
                "confirmed_before",
                "outgoing",
                "set_aside",
                "returned",
                name="why",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("payment_id", sa.Integer(), nullable=True),
        sa.Column("repeats_id", sa.Integer(), nullable=True),
        sa.Column("allocated", core.db.MoneyType(), nullable=False),
        sa.Column("return_due", core.db.MoneyType(), nullable=False),
        sa.Column("returned", core.db.MoneyType(), nullable=False),
        sa.Column("unallocated", core.db.MoneyType(), nullable=False),
        sa.Column("return_reference", sa.String(), nullable=True),
        sa.Column("handled_by", sa.String(), nullable=True),
        sa.Column("handled_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(payment_id IS NULL) = (allocated = 0)", name=op.f("ck_bank_txn_given_to_a_payment")
        ),
        sa.CheckConstraint(
            "allocated >= 0 AND return_due >= 0 AND returned >= 0 AND unallocated >= 0",
            name=op.f("ck_bank_txn_not_negative"),
        ),
        sa.CheckConstraint(
            "amount = allocated + return_due + returned + unallocated",
            name=op.f("ck_bank_txn_every_dong"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_bank_txn_amount_positive")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_bank_txn_payment_id_payment")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_bank_txn_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["repeats_id"], ["bank_txn.id"], name=op.f("fk_bank_txn_repeats_id_bank_txn")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_txn")),
        sa.UniqueConstraint(
            "scope",
            "account",
            "reference",
            "direction",
            "amount",
            name=op.f("uq_bank_txn_scope_account_reference_direction_amount"),
        ),
        sa.UniqueConstraint(
            "scope",
            "provider",
            "account",
            "txn_id",
            name=op.f("uq_bank_txn_scope_provider_account_txn_id"),
        ),
    )
    with op.batch_alter_table("bank_txn", schema=None) as batch_op:
        batch_op.create_index("ix_bank_txn_at", ["scope", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_txn_fingerprint"), ["fingerprint"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_txn_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index("ix_bank_txn_queue", ["scope", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_txn_repeats_id"), ["repeats_id"], unique=False)
        batch_op.create_index("ix_bank_txn_state", ["state", "id"], unique=False)

    op.create_table(
        "later_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("piece", sa.String(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("seen_price", core.db.MoneyType(), nullable=False),
        sa.Column("saved_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_later_line_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_later_line_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_later_line")),
        sa.UniqueConstraint("owner", "piece", name=op.f("uq_later_line_owner_piece")),
    )
    with op.batch_alter_table("later_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_later_line_saved_at"), ["saved_at"], unique=False)

    op.create_table(
        "payment_share",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("seller_order_id", sa.Integer(), nullable=False),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_payment_share_not_negative")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_payment_share_payment_id_payment")
        ),
        sa.ForeignKeyConstraint(
            ["seller_order_id"],
            ["seller_order.id"],
            name=op.f("fk_payment_share_seller_order_id_seller_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_share")),
        sa.UniqueConstraint(
            "payment_id",
            "seller_order_id",
            name=op.f("uq_payment_share_payment_id_seller_order_id"),
        ),
    )
    with op.batch_alter_table("payment_share", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_payment_share_seller_order_id"), ["seller_order_id"], unique=False
        )

    op.create_table(
        "problem_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "spoilt",
                "broken",
                "different",
                "false",
                "other",
                name="problemkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("photo_key", sa.String(), nullable=True),
        sa.Column("province_code", sa.String(), nullable=True),
        sa.Column("sent_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("settled_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("settled_by_name", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_problem_report_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_problem_report_product_id_product")
        ),
        sa.ForeignKeyConstraint(
            ["province_code"],
            ["admin_unit.code"],
            name=op.f("fk_problem_report_province_code_admin_unit"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem_report")),
    )
    with op.batch_alter_table("problem_report", schema=None) as batch_op:
        batch_op.create_index("ix_problem_report_open", ["product_id", "settled_at"], unique=False)

    op.create_table(
        "provider_money",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "cod",
                "bank_transfer",
                "stripe",
                "vnpay",
                name="paymentmethod",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.Column("arrived_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_provider_money_payment_id_payment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_money")),
        sa.UniqueConstraint(
            "method",
            "number",
            "payment_id",
            name=op.f("uq_provider_money_method_number_payment_id"),
        ),
    )
    with op.batch_alter_table("provider_money", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_provider_money_number"), ["number"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_provider_money_payment_id"), ["payment_id"], unique=False
        )

    op.create_table(
        "recall_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "hold",
                "recall",
                name="casekind",
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
                "asked",
                "lifted",
                "replaced",
                name="casestate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("opened_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.Column("opened_by_name", sa.String(), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=True),
        sa.Column("lift_reason", sa.String(), nullable=True),
        sa.Column("asked_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_by_name", sa.String(), nullable=True),
        sa.Column("lifted_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Integer(), nullable=True),
        sa.Column("lifted_by_name", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state <> 'lifted' OR lifted_by IS NOT NULL",
            name=op.f("ck_recall_case_lifted_by_someone"),
        ),
        sa.CheckConstraint("lifted_by <> asked_by", name=op.f("ck_recall_case_two_people")),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["user_account.id"], name=op.f("fk_recall_case_asked_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["lifted_by"], ["user_account.id"], name=op.f("fk_recall_case_lifted_by_user_account")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_recall_case_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["user_account.id"], name=op.f("fk_recall_case_opened_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_recall_case_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_case")),
    )
    with op.batch_alter_table("recall_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recall_case_lot_id"), ["lot_id"], unique=False)
        batch_op.create_index("ix_recall_case_producer", ["producer_id", "id"], unique=False)
        batch_op.create_index("ix_recall_case_state", ["state", "id"], unique=False)

    op.create_table(
        "refund",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("seller_order_id", sa.Integer(), nullable=True),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.Column("shipping", core.db.MoneyType(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "cancelled",
                "late",
                "surplus",
                "cut",
                "returned",
                "lost",
                "dispute",
                "goodwill",
                name="refundreason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "pending",
                "succeeded",
                "failed",
                name="refundstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("requested_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("provider_ref", sa.String(), nullable=True),
        sa.Column("money_number", sa.String(), nullable=True),
        sa.Column("sent_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("settled_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_amount_positive")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_refund_order_id_customer_order")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id_payment")
        ),
        sa.ForeignKeyConstraint(
            ["seller_order_id"],
            ["seller_order.id"],
            name=op.f("fk_refund_seller_order_id_seller_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("provider_ref", name=op.f("uq_refund_provider_ref")),
    )
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refund_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_refund_seller_order_id"), ["seller_order_id"], unique=False
        )
        batch_op.create_index("ix_refund_state", ["state", "id"], unique=False)

    op.create_table(
        "remittance_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("waybill", sa.String(), nullable=False),
        sa.Column("cod", core.db.MoneyType(), nullable=False),
        sa.Column("fee", core.db.MoneyType(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "matched",
                "differs",
                "not_delivered",
                "unknown",
                "already",
                name="rowstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("expected", core.db.MoneyType(), nullable=True),
        sa.Column("order_code", sa.String(), nullable=True),
        sa.Column("payment_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["remittance_batch.id"],
            name=op.f("fk_remittance_row_batch_id_remittance_batch"),
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_remittance_row_payment_id_payment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remittance_row")),
        sa.UniqueConstraint("batch_id", "number", name=op.f("uq_remittance_row_batch_id_number")),
    )
    with op.batch_alter_table("remittance_row", schema=None) as batch_op:
        batch_op.create_index("ix_remittance_row_payment", ["payment_id"], unique=False)

    op.create_table(
        "serial_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("with_pins", sa.Boolean(), nullable=False),
        sa.Column("made_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("made_by_name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_serial_run_lot_id_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serial_run")),
    )
    with op.batch_alter_table("serial_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_serial_run_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "shipment_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shipment_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=True),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("received_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipment.id"], name=op.f("fk_shipment_event_shipment_id_shipment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_event")),
        sa.UniqueConstraint("key", name=op.f("uq_shipment_event_key")),
    )
    with op.batch_alter_table("shipment_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_shipment_event_shipment_id"), ["shipment_id"], unique=False
        )

    op.create_table(
        "recall_call",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("called_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("called_by_name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["recall_case.id"], name=op.f("fk_recall_call_case_id_recall_case")
        ),
        sa.ForeignKeyConstraint(
            ["part_id"], ["seller_order.id"], name=op.f("fk_recall_call_part_id_seller_order")
        ),
        sa.PrimaryKeyConstraint("case_id", "part_id", name=op.f("pk_recall_call")),
    )
    op.create_table(
        "recall_case_lot",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["recall_case.id"], name=op.f("fk_recall_case_lot_case_id_recall_case")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_recall_case_lot_lot_id_lot")),
        sa.PrimaryKeyConstraint("case_id", "lot_id", name=op.f("pk_recall_case_lot")),
    )
    with op.batch_alter_table("recall_case_lot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recall_case_lot_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "return_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.Column(
            "fate",
            sa.Enum(
                "restock",
                "write_off",
                name="fate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_line_some")),
        sa.ForeignKeyConstraint(
            ["line_id"], ["order_line.id"], name=op.f("fk_return_line_line_id_order_line")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["return_request.id"],
            name=op.f("fk_return_line_request_id_return_request"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_line")),
        sa.UniqueConstraint(
            "request_id", "line_id", name=op.f("uq_return_line_request_id_line_id")
        ),
    )
    with op.batch_alter_table("return_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_return_line_line_id"), ["line_id"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("photo_keys", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "shown",
                "hidden",
                name="reviewstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("hidden_why", sa.String(), nullable=True),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("written_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("mended_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.CheckConstraint("1 <= stars AND stars <= 5", name=op.f("ck_review_stars")),
        sa.ForeignKeyConstraint(
            ["line_id"], ["order_line.id"], name=op.f("fk_review_line_id_order_line")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_review_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_review_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("line_id", name=op.f("uq_review_line_id")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_producer_id"), ["producer_id"], unique=False)
        batch_op.create_index("ix_review_product", ["product_id", "state", "id"], unique=False)
        batch_op.create_index("ix_review_reports", ["state", "reports"], unique=False)

    op.create_table(
        "trace_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("step_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "step",
                "declaration",
                "recall",
                "imported",
                name="eventkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("event_hash", sa.String(), nullable=False),
        sa.Column("corrects", sa.Integer(), nullable=True),
        sa.Column("entered_by", sa.Integer(), nullable=True),
        sa.Column("recorded_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("log_position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["corrects"], ["trace_event.id"], name=op.f("fk_trace_event_corrects_trace_event")
        ),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["user_account.id"], name=op.f("fk_trace_event_entered_by_user_account")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_trace_event_lot_id_lot")),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_trace_event_step_id_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace_event")),
        sa.UniqueConstraint("log_position", name=op.f("uq_trace_event_log_position")),
        sa.UniqueConstraint("step_id", name=op.f("uq_trace_event_step_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_trace_event_uid")),
    )
    with op.batch_alter_table("trace_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trace_event_corrects"), ["corrects"], unique=False)
        batch_op.create_index(batch_op.f("ix_trace_event_event_hash"), ["event_hash"], unique=False)
        batch_op.create_index("ix_trace_event_lot", ["lot_id", "id"], unique=False)

    op.create_table(
        "carton_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sscc", sa.String(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_carton_item_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["serial"], ["serial.serial"], name=op.f("fk_carton_item_serial_serial")
        ),
        sa.ForeignKeyConstraint(["sscc"], ["carton.sscc"], name=op.f("fk_carton_item_sscc_carton")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carton_item")),
    )
    with op.batch_alter_table("carton_item", schema=None) as batch_op:
        batch_op.create_index("ix_carton_item_carton", ["sscc"], unique=False)
        batch_op.create_index(batch_op.f("ix_carton_item_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "lot_edge",
        sa.Column("input_lot_id", sa.Integer(), nullable=False),
        sa.Column("output_lot_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.CheckConstraint("input_lot_id <> output_lot_id", name=op.f("ck_lot_edge_two_lots")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["trace_event.id"], name=op.f("fk_lot_edge_event_id_trace_event")
        ),
        sa.ForeignKeyConstraint(
            ["input_lot_id"], ["lot.id"], name=op.f("fk_lot_edge_input_lot_id_lot")
        ),
        sa.ForeignKeyConstraint(
            ["output_lot_id"], ["lot.id"], name=op.f("fk_lot_edge_output_lot_id_lot")
        ),
        sa.PrimaryKeyConstraint(
            "input_lot_id", "output_lot_id", "event_id", name=op.f("pk_lot_edge")
        ),
    )
    with op.batch_alter_table("lot_edge", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_lot_edge_output_lot_id"), ["output_lot_id"], unique=False
        )

    op.create_table(
        "review_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("reporter", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_review_report_review_id_review")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_report")),
        sa.UniqueConstraint(
            "review_id", "reporter", name=op.f("uq_review_report_review_id_reporter")
        ),
    )
    op.create_table(
        "serial_flag",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column(
            "oddity",
            sa.Enum(
                "many_visitors",
                "two_provinces",
                "after_sale",
                "before_activation",
                name="oddity",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("settled_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["serial"], ["serial.serial"], name=op.f("fk_serial_flag_serial_serial")
        ),
        sa.PrimaryKeyConstraint("serial", "oddity", name=op.f("pk_serial_flag")),
    )
    op.create_table(
        "trace_commitment",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["trace_event.id"], name=op.f("fk_trace_commitment_event_id_trace_event")
        ),
        sa.PrimaryKeyConstraint("event_id", "field", name=op.f("pk_trace_commitment")),
    )
    with op.batch_alter_table("cart", schema=None) as batch_op:
        batch_op.add_column(sa.Column("voucher", sa.String(), nullable=True))

    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "state",
                sa.Enum(
                    "waiting",
                    "in_force",
                    "refused",
                    "withdrawn",
                    "replaced",
                    name="paperstate",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                server_default="in_force",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column("handed_in_at", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("handed_in_by_name", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("answered_at", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("answered_by_name", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("answer", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("replaces", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reminded", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_certificate_replaces_certificate"), "certificate", ["replaces"], ["id"]
        )

    with op.batch_alter_table("customer_order", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "payment_status",
                sa.Enum(
                    "none",
                    "awaiting",
                    "partially_paid",
                    "paid",
                    "overpaid",
                    "cod_due",
                    "cod_collected",
                    "partially_refunded",
                    "refunded",
                    name="paymentstatus",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                server_default="awaiting",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column("buyer_folded", sa.String(), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("discount_total", core.db.MoneyType(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column(
                "source",
                sa.Enum(
                    "web",
                    "live",
                    "qr",
                    "reorder",
                    name="source",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                server_default="web",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column("adult", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(
            sa.Column("frozen", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.create_index("ix_customer_order_payment", ["payment_status", "id"], unique=False)
        batch_op.create_index("ix_customer_order_placed", ["placed_at"], unique=False)
        batch_op.create_index("ix_customer_order_state", ["state", "id"], unique=False)

    with op.batch_alter_table("delivery_method", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("is_on", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        batch_op.add_column(
            sa.Column("only_zones", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("most_g", sa.Integer(), nullable=True))

    with op.batch_alter_table("former_unit", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("district_folded", sa.String(), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("province_folded", sa.String(), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("valid_to", sa.Date(), server_default="2025-06-30", nullable=False)
        )
        batch_op.create_index("ix_former_unit_district", ["district_folded"], unique=False)

    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("product_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("weight_g", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("list_price", core.db.MoneyType(), nullable=True))
        batch_op.add_column(
            sa.Column("quantity_cancelled", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("quantity_returned", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("discount_share", core.db.MoneyType(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("discount_cancelled", core.db.MoneyType(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("commission_bp", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("sale_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("set_name", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_order_line_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_line_sale_id"), ["sale_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_order_line_product_id_product"), "product", ["product_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_order_line_sale_id_sale"), "sale", ["sale_id"], ["id"]
        )

    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "custody",
                sa.Enum(
                    "producer",
                    "operator",
                    "carrier",
                    name="custody",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("attempt", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("provider_ref", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("provider_payment_ref", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("pay_url", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("openings", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column("opened_at", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("dispute_closed", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("expires_at", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("claimed_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("claimed_note", sa.String(), nullable=True))
        batch_op.alter_column("seller_order_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index(
            batch_op.f("ix_payment_provider_payment_ref"), ["provider_payment_ref"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_payment_state"), ["state"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_payment_method_provider_ref"), ["method", "provider_ref"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_payment_claimed_by_user_account"), "user_account", ["claimed_by"], ["id"]
        )

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("abv_tenths", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("live_since", core.db.UtcDateTime(timezone=True), nullable=True)
        )

    with op.batch_alter_table("seller_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("delivery_method_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("delivery_kind", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("weight_g", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column("discount_total", core.db.MoneyType(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("shipping_discount", core.db.MoneyType(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("shipped_at", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("delivered_at", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("claim_until", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("failed_attempts", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("reminders", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("internal_note", sa.String(), nullable=True))
        batch_op.create_index("ix_seller_order_claim", ["state", "claim_until"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_seller_order_delivery_method_id_delivery_method"),
            "delivery_method",
            ["delivery_method_id"],
            ["id"],
        )

    with op.batch_alter_table("serial", schema=None) as batch_op:
        batch_op.add_column(sa.Column("run_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("position", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column(
                "state",
                sa.Enum(
                    "normal",
                    "watch",
                    "blocked",
                    name="serialstate",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                server_default="normal",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("sold_at", core.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("pin_mac", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("checked_at", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("checks", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index("ix_serial_run", ["run_id", "position"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_serial_run_id_serial_run"), "serial_run", ["run_id"], ["id"]
        )

    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("phone_proved_at", core.db.UtcDateTime(timezone=True), nullable=True)
        )

    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sale_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("sale_price", core.db.MoneyType(), nullable=True))
        batch_op.add_column(sa.Column("sale_was", core.db.MoneyType(), nullable=True))
        batch_op.add_column(
            sa.Column("sale_from", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("sale_until", core.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("sale_cap", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("sale_sold", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.create_index(
            "ix_variant_sale",
            ["sale_until"],
            unique=False,
            sqlite_where=sa.text("sale_price IS NOT NULL"),
            postgresql_where=sa.text("sale_price IS NOT NULL"),
        )

    _carry_over(op.get_bind())

    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_certificate_paperkind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_certificate_paperkind"),
            "kind IN ('ocop', 'food_safety', 'test_report', 'vietgap', 'organic', 'gtin')",
        )

    with op.batch_alter_table("customer_order", schema=None) as batch_op:
        batch_op.create_check_constraint(
            op.f("ck_customer_order_not_negative"), "total >= 0 AND discount_total >= 0"
        )

    with op.batch_alter_table("delivery_method", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_delivery_method_deliverykind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_delivery_method_deliverykind"), "kind IN ('post', 'self', 'pickup', 'ghn')"
        )
        batch_op.create_check_constraint(
            op.f("ck_delivery_method_some_weight"), "most_g IS NULL OR most_g > 0"
        )

    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.alter_column("product_id", existing_type=sa.Integer(), nullable=False)
        batch_op.create_check_constraint(
            op.f("ck_order_line_cut"), "0 <= quantity_cancelled AND quantity_cancelled <= quantity"
        )
        batch_op.create_check_constraint(
            op.f("ck_order_line_discount"),
            "0 <= discount_cancelled AND discount_cancelled <= discount_share",
        )
        batch_op.create_check_constraint(
            op.f("ck_order_line_returned"),
            "0 <= quantity_returned AND quantity_returned <= quantity - quantity_cancelled",
        )

    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_column("refund_reference")
        batch_op.drop_constraint(op.f("ck_payment_amount_positive"), type_="check")
        batch_op.drop_constraint(op.f("ck_payment_paymentmethod"), type_="check")
        batch_op.drop_constraint(op.f("ck_payment_paymentstate"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_payment_amount_positive"), "amount > 0 AND captured >= 0"
        )
        batch_op.create_check_constraint(
            op.f("ck_payment_paymentmethod"),
            "method IN ('cod', 'bank_transfer', 'stripe', 'vnpay')",
        )
        batch_op.create_check_constraint(
            op.f("ck_payment_paymentstate"),
            "state IN ('created', 'open', 'processing', 'awaiting', 'partial', 'succeeded', 'failed', 'expired', 'cancelled', 'due', 'collected', 'remitted')",
        )

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.create_check_constraint(op.f("ck_product_abv"), "abv_tenths BETWEEN 0 AND 1000")

    with op.batch_alter_table("seller_order", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_seller_order_not_negative"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_seller_order_adds_up"),
            "total = items_total - discount_total + shipping_fee - shipping_discount",
        )
        batch_op.create_check_constraint(
            op.f("ck_seller_order_not_negative"),
            "total >= 0 AND shipping_fee >= 0 AND discount_total >= 0 AND shipping_discount >= 0",
        )

    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.create_check_constraint(op.f("ck_variant_sale_sold_counts"), "sale_sold >= 0")
        batch_op.create_check_constraint(
            op.f("ck_variant_sale_whole"),
            "sale_price IS NULL OR (sale_price > 0 AND sale_price < price AND sale_id IS NOT NULL AND sale_from < sale_until)",
        )


def _carry_over(connection: sa.Connection) -> None:
    """Give orders, payments and goods of before what the new columns and tables want to know."""
    for statement in STATEMENTS:
        connection.execute(sa.text(statement))
    orders = connection.execute(sa.text("SELECT id, buyer_name FROM customer_order")).all()
    for order_id, name in orders:
        connection.execute(
            sa.text("UPDATE customer_order SET buyer_folded = :folded WHERE id = :id"),
            {"folded": f" {fold(name)}", "id": order_id},
        )


STATEMENTS = (
    "UPDATE order_line SET product_id ="
    " (SELECT product_id FROM variant WHERE variant.id = order_line.variant_id),"
    " weight_g = (SELECT weight_g FROM variant WHERE variant.id = order_line.variant_id)",
    "INSERT INTO payment_share (payment_id, seller_order_id, amount)"
    " SELECT id, seller_order_id, amount FROM payment",
    "INSERT INTO refund (order_id, seller_order_id, payment_id, amount, shipping, lines, reason,"
    " state, requested_at, requested_by)"
    " SELECT order_id, seller_order_id, id, refund_due, 0, '{}', 'cancelled', 'requested',"
    " COALESCE(captured_at, created_at), 'Chợ Phiên' FROM payment WHERE refund_due > 0",
    "INSERT INTO refund (order_id, seller_order_id, payment_id, amount, shipping, lines, reason,"
    " state, requested_at, requested_by, reference, settled_at, settled_by)"
    " SELECT order_id, seller_order_id, id, refunded, 0, '{}', 'cancelled', 'succeeded',"
    " COALESCE(captured_at, created_at), 'Chợ Phiên', refund_reference,"
    " COALESCE(captured_at, created_at), 'Chợ Phiên' FROM payment WHERE refunded > 0",
    "UPDATE payment SET custody = 'producer' WHERE captured > 0",
    "UPDATE seller_order SET shipped_at = (SELECT MAX(at) FROM order_event"
    " WHERE order_event.seller_order_id = seller_order.id AND verb = 'ship')",
    "UPDATE seller_order SET delivered_at = (SELECT MAX(at) FROM order_event"
    " WHERE order_event.seller_order_id = seller_order.id AND verb = 'deliver')",
    # The claim window of what was handed over before: over, so that the timer closes it.
    "UPDATE seller_order SET claim_until = delivered_at WHERE state = 'delivered'",
    "UPDATE customer_order SET payment_status = (SELECT CASE"
    " WHEN SUM(refund_due) > 0 THEN 'overpaid'"
    " WHEN SUM(captured) > 0 AND SUM(refunded) = SUM(captured) THEN 'refunded'"
    " WHEN SUM(refunded) > 0 THEN 'partially_refunded'"
    " WHEN SUM(CASE WHEN state = 'due' THEN 1 ELSE 0 END) > 0 THEN 'cod_due'"
    " WHEN SUM(captured) = 0 AND SUM(CASE WHEN state = 'awaiting' THEN 1 ELSE 0 END) > 0"
    " THEN 'awaiting'"
    " WHEN SUM(captured) = 0 THEN 'none'"
    " WHEN SUM(CASE WHEN state = 'awaiting' THEN 1 ELSE 0 END) > 0 THEN 'partially_paid'"
    " WHEN SUM(CASE WHEN state = 'collected' THEN 1 ELSE 0 END) > 0 THEN 'cod_collected'"
    " ELSE 'paid' END FROM payment WHERE payment.order_id = customer_order.id)"
    " WHERE EXISTS (SELECT 1 FROM payment WHERE payment.order_id = customer_order.id)",
    "UPDATE product SET live_since = created_at WHERE state = 'live'",
    "INSERT INTO price_point (variant_id, price, at, is_sale)"
    " SELECT variant.id, variant.price, product.created_at, false FROM variant"
    " JOIN product ON product.id = variant.product_id"
    " WHERE variant.price IS NOT NULL AND NOT variant.price_is_sample",
    # Lots stopped before there were cases: each gets one, so that two people can end it.
    "INSERT INTO recall_case (kind, state, lot_id, producer_id, reason, opened_at, opened_by_name)"
    " SELECT CASE lot.state WHEN 'recalled' THEN 'recall' ELSE 'hold' END, 'open', lot.id,"
    " product.producer_id, COALESCE(lot.recall_reason, ''),"
    " COALESCE(lot.recalled_at, lot.created_at), 'Chợ Phiên' FROM lot"
    " JOIN variant ON variant.id = lot.variant_id JOIN product ON product.id = variant.product_id"
    " WHERE lot.state IN ('recalled', 'held')",
    "INSERT INTO recall_case_lot (case_id, lot_id, steps) SELECT id, lot_id, 0 FROM recall_case",
)
