"""first tables."""

import sqlalchemy as sa
from alembic import op

import core.db

revision = "0001"
down_revision = None


def upgrade() -> None:
    """first tables."""
    op.create_table(
        "admin_unit",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "province",
                "commune",
                name="level",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_folded", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.Column("parent_code", sa.String(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_code"], ["admin_unit.code"], name=op.f("fk_admin_unit_parent_code_admin_unit")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_admin_unit")),
    )
    with op.batch_alter_table("admin_unit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_admin_unit_parent_code"), ["parent_code"], unique=False
        )

    op.create_table(
        "schedule",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next_run_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("busy_until", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_run_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedule")),
    )
    op.create_table(
        "slug_change",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("old_slug", sa.String(), nullable=False),
        sa.Column("new_slug", sa.String(), nullable=False),
        sa.Column("changed_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "old_slug", name=op.f("pk_slug_change")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "due",
                "done",
                "dead",
                name="taskstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("run_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("lease_until", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("handed_until", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("key", name=op.f("uq_task_key")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("ix_task_due", ["state", "run_at"], unique=False)

    op.create_table(
        "try_counter",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_try_counter")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "buyer",
                "producer",
                "helper",
                "staff",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "phone IS NOT NULL OR email IS NOT NULL", name=op.f("ck_user_account_reachable")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
        sa.UniqueConstraint("phone", name=op.f("uq_user_account_phone")),
    )
    op.create_table(
        "act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=True),
        sa.Column("scope", sa.String(), nullable=True),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user_account.id"], name=op.f("fk_act_actor_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    with op.batch_alter_table("act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_act_actor_id"), ["actor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_act_at"), ["at"], unique=False)
        batch_op.create_index("ix_act_scope", ["scope", "at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_act_subject"), ["subject"], unique=False)

    op.create_table(
        "cart",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "ordered",
                name="cartstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_cart_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_cart_token_hash")),
    )
    with op.batch_alter_table("cart", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cart_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "uq_cart_open_user",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "former_unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("old_code", sa.String(), nullable=False),
        sa.Column("ward", sa.String(), nullable=False),
        sa.Column("ward_folded", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("new_code", sa.String(), nullable=False),
        sa.Column("divided", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["new_code"], ["admin_unit.code"], name=op.f("fk_former_unit_new_code_admin_unit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_unit")),
    )
    with op.batch_alter_table("former_unit", schema=None) as batch_op:
        batch_op.create_index("ix_former_unit_name", ["ward_folded"], unique=False)
        batch_op.create_index(batch_op.f("ix_former_unit_old_code"), ["old_code"], unique=False)

    op.create_table(
        "helper_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("helper_id", sa.Integer(), nullable=False),
        sa.Column("commune_code", sa.String(), nullable=False),
        sa.Column("given_by", sa.Integer(), nullable=True),
        sa.Column("given_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["commune_code"],
            ["admin_unit.code"],
            name=op.f("fk_helper_grant_commune_code_admin_unit"),
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["user_account.id"], name=op.f("fk_helper_grant_ended_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["given_by"], ["user_account.id"], name=op.f("fk_helper_grant_given_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["helper_id"], ["user_account.id"], name=op.f("fk_helper_grant_helper_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_helper_grant")),
    )
    with op.batch_alter_table("helper_grant", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_helper_grant_commune_code"), ["commune_code"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_helper_grant_helper_id"), ["helper_id"], unique=False)
        batch_op.create_index(
            "uq_helper_grant_active",
            ["helper_id", "commune_code"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "login_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("started_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("proved_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_login_session_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "one_time_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "set_password",
                "reset_password",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("expires_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_one_time_token_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_token_token_hash")),
    )
    with op.batch_alter_table("one_time_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "village",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_folded", sa.String(), nullable=False),
        sa.Column("commune_code", sa.String(), nullable=True),
        sa.Column("former_commune", sa.String(), nullable=True),
        sa.Column("former_district", sa.String(), nullable=True),
        sa.Column("craft", sa.String(), nullable=True),
        sa.Column("landmark", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commune_code"], ["admin_unit.code"], name=op.f("fk_village_commune_code_admin_unit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_village")),
        sa.UniqueConstraint("slug", name=op.f("uq_village_slug")),
    )
    with op.batch_alter_table("village", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_village_commune_code"), ["commune_code"], unique=False)

    op.create_table(
        "customer_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("cart_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "pending_payment",
                "placed",
                "expired",
                "cancelled",
                "closed",
                name="orderstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("payment_method", sa.String(), nullable=False),
        sa.Column("buyer_name", sa.String(), nullable=False),
        sa.Column("buyer_phone", sa.String(), nullable=False),
        sa.Column("buyer_email", sa.String(), nullable=True),
        sa.Column("province_code", sa.String(), nullable=False),
        sa.Column("commune_code", sa.String(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("address_text", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("total", core.db.MoneyType(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("placed_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["cart.id"], name=op.f("fk_customer_order_cart_id_cart")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_customer_order_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_order")),
        sa.UniqueConstraint("cart_id", name=op.f("uq_customer_order_cart_id")),
        sa.UniqueConstraint("code", name=op.f("uq_customer_order_code")),
    )
    with op.batch_alter_table("customer_order", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_customer_order_buyer_phone"), ["buyer_phone"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_customer_order_user_id"), ["user_id"], unique=False)

    op.create_table(
        "producer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_folded", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "cooperative",
                "company",
                "household",
                "group",
                name="producerkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "approved",
                "suspended",
                name="producerstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("province_code", sa.String(), nullable=True),
        sa.Column("commune_code", sa.String(), nullable=True),
        sa.Column("village_id", sa.Integer(), nullable=True),
        sa.Column("place_text", sa.String(), nullable=True),
        sa.Column("story", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("bank_bin", sa.String(), nullable=True),
        sa.Column("bank_account", sa.String(), nullable=True),
        sa.Column("bank_holder", sa.String(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["commune_code"], ["admin_unit.code"], name=op.f("fk_producer_commune_code_admin_unit")
        ),
        sa.ForeignKeyConstraint(
            ["province_code"],
            ["admin_unit.code"],
            name=op.f("fk_producer_province_code_admin_unit"),
        ),
        sa.ForeignKeyConstraint(
            ["village_id"], ["village.id"], name=op.f("fk_producer_village_id_village")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_producer")),
        sa.UniqueConstraint("slug", name=op.f("uq_producer_slug")),
    )
    with op.batch_alter_table("producer", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_producer_commune_code"), ["commune_code"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_producer_village_id"), ["village_id"], unique=False)

    op.create_table(
        "delivery_method",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "post",
                "self",
                "pickup",
                name="deliverykind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("fee", core.db.MoneyType(), nullable=False),
        sa.Column("free_from", core.db.MoneyType(), nullable=True),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.CheckConstraint("fee >= 0", name=op.f("ck_delivery_method_fee_not_negative")),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_delivery_method_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_method")),
    )
    with op.batch_alter_table("delivery_method", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_delivery_method_producer_id"), ["producer_id"], unique=False
        )

    op.create_table(
        "helper_refused",
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("helper_id", sa.Integer(), nullable=False),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["helper_id"],
            ["user_account.id"],
            name=op.f("fk_helper_refused_helper_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_helper_refused_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("producer_id", "helper_id", name=op.f("pk_helper_refused")),
    )
    op.create_table(
        "producer_member",
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("since", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_producer_member_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_producer_member_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("producer_id", "user_id", name=op.f("pk_producer_member")),
    )
    with op.batch_alter_table("producer_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_producer_member_user_id"), ["user_id"], unique=False)

    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_lower", sa.String(), nullable=False),
        sa.Column(
            "ocop_group",
            sa.Enum(
                "food",
                "beverage",
                "herbal",
                "handicraft",
                "ornamental",
                "tourism",
                name="ocopgroup",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "review",
                "live",
                "withdrawn",
                name="productstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("producer_id", sa.Integer(), nullable=True),
        sa.Column("province_code", sa.String(), nullable=True),
        sa.Column("commune_code", sa.String(), nullable=True),
        sa.Column("village_id", sa.Integer(), nullable=True),
        sa.Column("place_text", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("ingredients", sa.String(), nullable=True),
        sa.Column("storage_note", sa.String(), nullable=True),
        sa.Column("usage_note", sa.String(), nullable=True),
        sa.Column("motif", sa.String(), nullable=False),
        sa.Column("season_months", sa.Integer(), nullable=False),
        sa.Column("claimed_stars", sa.Integer(), nullable=True),
        sa.Column("claimed_year", sa.Integer(), nullable=True),
        sa.Column("claimed_decision", sa.String(), nullable=True),
        sa.Column("list_price", core.db.MoneyType(), nullable=True),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("is_synthetic", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["commune_code"], ["admin_unit.code"], name=op.f("fk_product_commune_code_admin_unit")
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_product_producer_id_producer")
        ),
        sa.ForeignKeyConstraint(
            ["province_code"], ["admin_unit.code"], name=op.f("fk_product_province_code_admin_unit")
        ),
        sa.ForeignKeyConstraint(
            ["village_id"], ["village.id"], name=op.f("fk_product_village_id_village")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("slug", name=op.f("uq_product_slug")),
    )
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_commune_code"), ["commune_code"], unique=False)
        batch_op.create_index("ix_product_new", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_product_ocop_group"), ["ocop_group"], unique=False)
        batch_op.create_index("ix_product_price", ["state", "list_price", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_product_producer_id"), ["producer_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_product_province_code"), ["province_code"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_product_village_id"), ["village_id"], unique=False)

    op.create_table(
        "seller_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.Integer(), nullable=False),
        sa.Column("producer_name", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "to_confirm",
                "preparing",
                "ready",
                "shipped",
                "delivered",
                "delivery_failed",
                "returning",
                "returned",
                "completed",
                "cancelled",
                name="sellerorderstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("delivery_name", sa.String(), nullable=False),
        sa.Column("items_total", core.db.MoneyType(), nullable=False),
        sa.Column("shipping_fee", core.db.MoneyType(), nullable=False),
        sa.Column("total", core.db.MoneyType(), nullable=False),
        sa.Column("hold_expires_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("confirm_by", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("called_buyer", sa.Boolean(), nullable=False),
        sa.Column(
            "ended",
            sa.Enum(
                "expired",
                "declined",
                "timed_out",
                "cancelled",
                name="ended",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("ended_why", sa.String(), nullable=True),
        sa.CheckConstraint(
            "total >= 0 AND shipping_fee >= 0", name=op.f("ck_seller_order_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["customer_order.id"],
            name=op.f("fk_seller_order_order_id_customer_order"),
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"], ["producer.id"], name=op.f("fk_seller_order_producer_id_producer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller_order")),
        sa.UniqueConstraint(
            "order_id", "producer_id", name=op.f("uq_seller_order_order_id_producer_id")
        ),
    )
    with op.batch_alter_table("seller_order", schema=None) as batch_op:
        batch_op.create_index("ix_seller_order_clock", ["state", "hold_expires_at"], unique=False)
        batch_op.create_index("ix_seller_order_confirm", ["state", "confirm_by"], unique=False)
        batch_op.create_index("ix_seller_order_desk", ["producer_id", "state", "id"], unique=False)

    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "ocop",
                "food_safety",
                "test_report",
                name="paperkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("year_only", sa.Boolean(), nullable=False),
        sa.Column("file_key", sa.String(), nullable=True),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.CheckConstraint(
            "stars IS NULL OR stars BETWEEN 1 AND 5", name=op.f("ck_certificate_stars")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_certificate_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
    )
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.create_index(
            "ix_certificate_valid", ["product_id", "kind", "expires_on"], unique=False
        )

    op.create_table(
        "order_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("seller_order_id", sa.Integer(), nullable=True),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=True),
        sa.Column("to_state", sa.String(), nullable=True),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user_account.id"], name=op.f("fk_order_event_actor_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_order_event_order_id_customer_order")
        ),
        sa.ForeignKeyConstraint(
            ["seller_order_id"],
            ["seller_order.id"],
            name=op.f("fk_order_event_seller_order_id_seller_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_event")),
    )
    with op.batch_alter_table("order_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_event_order_id"), ["order_id"], unique=False)

    op.create_table(
        "payment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("seller_order_id", sa.Integer(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "cod",
                "bank_transfer",
                name="paymentmethod",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "due",
                "collected",
                "awaiting",
                "succeeded",
                "expired",
                "cancelled",
                name="paymentstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount", core.db.MoneyType(), nullable=False),
        sa.Column("captured", core.db.MoneyType(), nullable=False),
        sa.Column("memo", sa.String(), nullable=True),
        sa.Column("bank_bin", sa.String(), nullable=True),
        sa.Column("bank_account", sa.String(), nullable=True),
        sa.Column("bank_holder", sa.String(), nullable=True),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("captured_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("evidence", sa.String(), nullable=True),
        sa.Column("refund_due", core.db.MoneyType(), nullable=False),
        sa.Column("refunded", core.db.MoneyType(), nullable=False),
        sa.Column("refund_reference", sa.String(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payment_amount_positive")),
        sa.CheckConstraint(
            "refund_due + refunded <= captured", name=op.f("ck_payment_refund_within_captured")
        ),
        sa.CheckConstraint(
            "refund_due >= 0 AND refunded >= 0", name=op.f("ck_payment_refund_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_payment_order_id_customer_order")
        ),
        sa.ForeignKeyConstraint(
            ["seller_order_id"],
            ["seller_order.id"],
            name=op.f("fk_payment_seller_order_id_seller_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("memo", name=op.f("uq_payment_memo")),
    )
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_payment_seller_order_id"), ["seller_order_id"], unique=False
        )

    op.create_table(
        "product_word",
        sa.Column(
            "word",
            sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("in_name", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_product_word_product_id_product"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("word", "product_id", name=op.f("pk_product_word")),
    )
    with op.batch_alter_table("product_word", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_product_word_product_id"), ["product_id"], unique=False
        )

    op.create_table(
        "variant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=True),
        sa.Column("price", core.db.MoneyType(), nullable=True),
        sa.Column("price_is_sample", sa.Boolean(), nullable=False),
        sa.Column("gtin", sa.String(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("price IS NULL OR price > 0", name=op.f("ck_variant_price_positive")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_variant_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant")),
        sa.UniqueConstraint("gtin", name=op.f("uq_variant_gtin")),
        sa.UniqueConstraint("sku", name=op.f("uq_variant_sku")),
    )
    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_variant_product_id"), ["product_id"], unique=False)

    op.create_table(
        "lot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "held",
                "recalled",
                name="lotstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("produced_on", sa.Date(), nullable=True),
        sa.Column("packed_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("recall_reason", sa.String(), nullable=True),
        sa.Column("recalled_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_lot_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("variant_id", "code", name=op.f("uq_lot_variant_id_code")),
    )
    with op.batch_alter_table("lot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lot_variant_id"), ["variant_id"], unique=False)

    op.create_table(
        "cart_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cart_id", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("seen_price", core.db.MoneyType(), nullable=False),
        sa.Column("added_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_line_some")),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_cart_line_cart_id_cart")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_cart_line_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_cart_line_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_line")),
    )
    with op.batch_alter_table("cart_line", schema=None) as batch_op:
        batch_op.create_index("ix_cart_line_cart", ["cart_id", "id"], unique=False)

    op.create_table(
        "order_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_order_id", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("product_name", sa.String(), nullable=False),
        sa.Column("variant_name", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("unit_price", core.db.MoneyType(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.CheckConstraint("quantity > 0 AND unit_price > 0", name=op.f("ck_order_line_some")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_order_line_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["seller_order_id"],
            ["seller_order.id"],
            name=op.f("fk_order_line_seller_order_id_seller_order"),
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_order_line_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
    )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_order_line_seller_order_id"), ["seller_order_id"], unique=False
        )

    op.create_table(
        "serial",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("activated_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_serial_lot_id_lot")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_serial")),
    )
    with op.batch_alter_table("serial", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_serial_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "sowing",
                "care",
                "harvest",
                "intake",
                "processing",
                "testing",
                "packing",
                "dispatch",
                name="stepkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("happened_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("zone_offset", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("photo_key", sa.String(), nullable=True),
        sa.Column("entered_by", sa.Integer(), nullable=True),
        sa.Column("entered_by_name", sa.String(), nullable=False),
        sa.Column("on_behalf_of", sa.String(), nullable=True),
        sa.Column("entered_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["user_account.id"], name=op.f("fk_step_entered_by_user_account")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_step_lot_id_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
    )
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.create_index("ix_step_lot", ["lot_id", "happened_at", "id"], unique=False)

    op.create_table(
        "stock_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("variant_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "0 <= reserved AND reserved <= on_hand", name=op.f("ck_stock_item_never_oversold")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_stock_item_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_stock_item_variant_id_variant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_item")),
    )
    with op.batch_alter_table("stock_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_item_lot_id"), ["lot_id"], unique=False)
        batch_op.create_index(
            "uq_stock_item_no_lot",
            ["variant_id"],
            unique=True,
            sqlite_where=sa.text("lot_id IS NULL"),
            postgresql_where=sa.text("lot_id IS NULL"),
        )
        batch_op.create_index("uq_stock_item_variant_lot", ["variant_id", "lot_id"], unique=True)

    op.create_table(
        "trace_code",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "product",
                "lot",
                name="codekind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'lot') = (lot_id IS NOT NULL)", name=op.f("ck_trace_code_lot_named")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_trace_code_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_trace_code_product_id_product")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_trace_code")),
    )
    with op.batch_alter_table("trace_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trace_code_lot_id"), ["lot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trace_code_product_id"), ["product_id"], unique=False)
        batch_op.create_index(
            "uq_trace_code_lot",
            ["lot_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'lot'"),
            postgresql_where=sa.text("kind = 'lot'"),
        )
        batch_op.create_index(
            "uq_trace_code_product",
            ["product_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'product'"),
            postgresql_where=sa.text("kind = 'product'"),
        )

    op.create_table(
        "reservation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stock_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "committed",
                "consumed",
                "released",
                "expired",
                name="holdstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", core.db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservation_some")),
        sa.ForeignKeyConstraint(
            ["stock_id"], ["stock_item.id"], name=op.f("fk_reservation_stock_id_stock_item")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
    )
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.create_index("ix_reservation_expiry", ["state", "expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reservation_stock_id"), ["stock_id"], unique=False)

    op.create_table(
        "stock_movement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stock_id", sa.Integer(), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.Column(
            "why",
            sa.Enum(
                "received",
                "loss",
                "counted",
                "shipped",
                "returned",
                name="why",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", core.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user_account.id"], name=op.f("fk_stock_movement_actor_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["stock_id"], ["stock_item.id"], name=op.f("fk_stock_movement_stock_id_stock_item")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movement")),
    )
    with op.batch_alter_table("stock_movement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_movement_stock_id"), ["stock_id"], unique=False)

    op.create_table(
        "line_hold",
        sa.Column("reservation_id", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["line_id"], ["order_line.id"], name=op.f("fk_line_hold_line_id_order_line")
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["reservation.id"],
            name=op.f("fk_line_hold_reservation_id_reservation"),
        ),
        sa.PrimaryKeyConstraint("reservation_id", name=op.f("pk_line_hold")),
    )
    with op.batch_alter_table("line_hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_line_hold_line_id"), ["line_id"], unique=False)
