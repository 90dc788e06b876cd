"""Full-text search on campaigns, templates and the component library, kept by triggers.

Names are searched as they are written, in any language; descriptions by the stems of English words.

Revision: 0013
Follows: 0012
"""

from migrations.running import run

revision = "0013"
down_revision = "0012"

# Per table: what a vector is made of, and the columns whose change makes it anew.
VECTORS = {
    "campaigns": (
        """setweight(to_tsvector('simple', NEW.name), 'A')
            || setweight(to_tsvector('english', COALESCE(NEW.description, '')), 'B')""",
        "name, description",
    ),
    "templates": (
        """setweight(to_tsvector('simple', NEW.name), 'A')
            || setweight(to_tsvector('simple', concat_ws(' ', NEW.subject, NEW.category, NEW.industry, NEW.style)), 'B')
            || setweight(to_tsvector('english', COALESCE(NEW.description, '')), 'C')""",
        "name, subject, category, industry, style, description",
    ),
    "component_library": (
        """setweight(to_tsvector('simple', NEW.name), 'A')
            || setweight(to_tsvector('simple', concat_ws(' ', NEW.category, array_to_string(NEW.tags, ' '))), 'B')
            || setweight(to_tsvector('english', COALESCE(NEW.description, '')), 'C')""",
        "name, category, tags, description",
    ),
}


def upgrade() -> None:
    for table, (vector, columns) in VECTORS.items():
        # An index made up later is no edit: no revision, no time and no audit row of it.
        run(f"""
        ALTER TABLE {table} DISABLE TRIGGER USER;
        UPDATE {table} SET search_vector = {vector.replace("NEW.", "")};
        ALTER TABLE {table} ENABLE TRIGGER USER;

        CREATE FUNCTION search_{table}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            NEW.search_vector := {vector};
            RETURN NEW;
        END
        $$;
        CREATE TRIGGER make_search_vector BEFORE INSERT OR UPDATE OF {columns}, search_vector ON {table}
            FOR EACH ROW EXECUTE FUNCTION search_{table}();
        """)


def downgrade() -> None:
    for table in VECTORS:
        run(f"""
        DROP TRIGGER make_search_vector ON {table};
        DROP FUNCTION search_{table}();
        """)
