"""Remarks and saved views in the audit log: others see and open them, so it is kept who wrote and changed them.

Revision: 0019
Follows: 0018
"""

from migrations.running import run

revision = "0019"
down_revision = "0018"

AUDITED = ("annotations", "saved_views")


def upgrade() -> None:
    for table in AUDITED:
        run(f"""
        CREATE TRIGGER keep_key BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION keep_key();
        CREATE TRIGGER audit_inserts AFTER INSERT ON {table} REFERENCING NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '', 'updated_at', 'revision');
        CREATE TRIGGER audit_updates AFTER UPDATE ON {table} REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '', 'updated_at', 'revision');
        CREATE TRIGGER audit_deletes AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '', 'updated_at', 'revision');
        """)


def downgrade() -> None:
    for table in AUDITED:
        run(f"""
        DROP TRIGGER keep_key ON {table};
        DROP TRIGGER audit_inserts ON {table};
        DROP TRIGGER audit_updates ON {table};
        DROP TRIGGER audit_deletes ON {table};
        """)
