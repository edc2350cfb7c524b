"""certificates in the order of their stars."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """certificates in the order of their stars."""
    with op.batch_alter_table("certificate", schema=None) as batch_op:
        batch_op.create_index("ix_certificate_stars", ["kind", "stars", "product_id"], unique=False)
