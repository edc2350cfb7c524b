"""the words of names by themselves."""

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """the words of names by themselves."""
    with op.batch_alter_table("product_word", schema=None) as batch_op:
        batch_op.create_index(
            "ix_product_word_named",
            ["word", "product_id"],
            unique=False,
            sqlite_where=text("in_name IS 1"),
            postgresql_where=text("in_name IS true"),
        )
