"""Versions for changes of sections alone, shelves with a revision, and audit rows for all that is edited of templates.

A change of sections left no version, and a publication kept the sections as they were before it.

Revision: 0030
Follows: 0029
"""

from migrations.running import run

revision = "0030"
down_revision = "0029"

# New templates carry their own transaction: the sections that come with them are no change.
COLUMNS = """
ALTER TABLE templates ADD COLUMN sections_changed_in xid8;
ALTER TABLE templates ALTER COLUMN sections_changed_in SET DEFAULT pg_current_xact_id();
COMMENT ON COLUMN templates.sections_changed_in IS 'The transaction that last changed its sections.';
GRANT SELECT (sections_changed_in) ON templates TO app_ro, app_pipe;

ALTER TABLE categories ADD COLUMN revision INTEGER DEFAULT 1 NOT NULL;
GRANT SELECT (revision) ON categories TO app_ro, app_pipe;
CREATE TRIGGER raise_revision BEFORE UPDATE ON categories FOR EACH ROW EXECUTE FUNCTION raise_revision();

-- The triggers that keep versions run with the rights of who edits, who could edit nothing without this one.
GRANT EXECUTE ON FUNCTION sections_of(uuid, uuid) TO app_rw;
-- Pages say how many versions are kept.
GRANT EXECUTE ON FUNCTION template_versions_kept(uuid) TO app_ro, app_rw;
"""

# The first change of a section in a transaction comes before any of it is made: what is kept are the old sections.
SECTIONS = """
CREATE FUNCTION note_changed_sections() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    one CONSTANT record := COALESCE(NEW, OLD);
BEGIN
    UPDATE templates SET sections_changed_in = pg_current_xact_id()
    WHERE workspace_id = one.workspace_id AND id = one.template_id
        AND sections_changed_in IS DISTINCT FROM pg_current_xact_id();
    RETURN one;
END
$$;
CREATE TRIGGER note_changed_sections BEFORE INSERT OR DELETE ON template_sections
    FOR EACH ROW EXECUTE FUNCTION note_changed_sections();
CREATE TRIGGER note_changed_section BEFORE UPDATE ON template_sections
    FOR EACH ROW WHEN ((OLD.kind, OLD.position, OLD.content, OLD.html_content)
        IS DISTINCT FROM (NEW.kind, NEW.position, NEW.content, NEW.html_content))
    EXECUTE FUNCTION note_changed_sections();

-- A publication is written down when the template is; its sections are complete when the transaction is.
CREATE FUNCTION complete_publication() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    one CONSTANT record := COALESCE(NEW, OLD);
BEGIN
    UPDATE template_versions AS v SET sections = sections_of(v.workspace_id, v.template_id)
    FROM templates AS t
    WHERE t.workspace_id = one.workspace_id AND t.id = one.template_id
        AND v.workspace_id = t.workspace_id AND v.template_id = t.id AND v.version = t.current_version
        AND v.reason = 'publish' AND v.created_at = now()
        AND v.sections <> sections_of(v.workspace_id, v.template_id);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER complete_publication AFTER INSERT OR UPDATE OR DELETE ON template_sections
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION complete_publication();
"""

VERSIONS = """
CREATE OR REPLACE FUNCTION keep_template_version() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.subject, OLD.preheader, OLD.html_content, OLD.text_content{old})
        IS DISTINCT FROM (NEW.subject, NEW.preheader, NEW.html_content, NEW.text_content{new})
    THEN
        INSERT INTO template_versions (workspace_id, template_id, version, reason, subject, preheader, html_content,
            text_content, sections, created_by)
        VALUES (OLD.workspace_id, OLD.id, OLD.current_version, {reason}, OLD.subject, OLD.preheader, OLD.html_content,
            OLD.text_content, sections_of(OLD.workspace_id, OLD.id), NULLIF(current_setting('app.actor', true), ''))
        ON CONFLICT DO NOTHING;
        NEW.current_version := OLD.current_version + 1;
    END IF;
    RETURN NEW;
END
$$;
"""
WITH_SECTIONS = {
    "old": ", OLD.sections_changed_in",
    "new": ", NEW.sections_changed_in",
    # Who rolls back says so in the transaction.
    "reason": "COALESCE(NULLIF(current_setting('app.kept_for', true), ''), 'snapshot')",
}
WITHOUT_SECTIONS = {"old": "", "new": "", "reason": "'snapshot'"}

LEFT_OUT = {
    "template_sections": ("updated_at",),
    "categories": ("updated_at", "revision"),
    "template_categories": (),
    "component_library": ("search_vector", "downloads", "likes", "updated_at", "revision"),
}
OF_TEMPLATES = ("search_vector", "usage_count", "updated_at", "revision")


def upgrade() -> None:
    run(COLUMNS)
    run(SECTIONS)
    run(VERSIONS.format(**WITH_SECTIONS))
    for table, left_out in LEFT_OUT.items():
        run(f"""
        CREATE TRIGGER keep_key BEFORE UPDATE ON {table}
            FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION keep_key();
        """)
        _audit(table, left_out)
    _stop_audit("templates")
    _audit("templates", (*OF_TEMPLATES, "sections_changed_in"))


def downgrade() -> None:
    _stop_audit("templates")
    _audit("templates", OF_TEMPLATES)
    for table in LEFT_OUT:
        _stop_audit(table)
        run(f"DROP TRIGGER keep_key ON {table}")
    run(VERSIONS.format(**WITHOUT_SECTIONS))
    run("""
    DROP TRIGGER complete_publication ON template_sections;
    DROP TRIGGER note_changed_section ON template_sections;
    DROP TRIGGER note_changed_sections ON template_sections;
    DROP FUNCTION complete_publication(), note_changed_sections();
    REVOKE EXECUTE ON FUNCTION template_versions_kept(uuid) FROM app_ro, app_rw;
    REVOKE EXECUTE ON FUNCTION sections_of(uuid, uuid) FROM app_rw;
    DROP TRIGGER raise_revision ON categories;
    ALTER TABLE categories DROP COLUMN revision;
    ALTER TABLE templates DROP COLUMN sections_changed_in;
    """)


def _audit(table: str, left_out: tuple[str, ...]) -> None:
    arguments = ", ".join(f"'{column}'" for column in ("id", "", *left_out))
    run(f"""
    CREATE TRIGGER audit_inserts AFTER INSERT ON {table} REFERENCING NEW TABLE AS arrived
        FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});
    CREATE TRIGGER audit_updates AFTER UPDATE ON {table} REFERENCING OLD TABLE AS gone NEW TABLE AS arrived
        FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});
    CREATE TRIGGER audit_deletes AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION audit_changes({arguments});
    """)


def _stop_audit(table: str) -> None:
    run(f"""
    DROP TRIGGER audit_inserts ON {table};
    DROP TRIGGER audit_updates ON {table};
    DROP TRIGGER audit_deletes ON {table};
    """)
