"""Templates with versions, sections and categories, and the component library.

Revision: 0004
Follows: 0003
"""

from migrations.running import run

revision = "0004"
down_revision = "0003"

TABLES = r"""
CREATE TABLE categories (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    name TEXT NOT NULL,
    kind TEXT DEFAULT 'email' NOT NULL,
    description TEXT,
    icon TEXT,
    display_order INTEGER DEFAULT 0 NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT categories_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT kind_is_known CHECK (kind IN ('email', 'ad')),
    CONSTRAINT categories_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX categories_by_is_active_display_order ON categories (is_active, display_order);
CREATE UNIQUE INDEX categories_name_is_unique ON categories (workspace_id, kind, name) WHERE deleted_at IS NULL;

CREATE TABLE component_library (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    user_id UUID,
    name TEXT NOT NULL,
    description TEXT,
    category TEXT,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    component_type TEXT NOT NULL,
    code TEXT,
    props_schema JSONB DEFAULT '{}'::jsonb NOT NULL,
    preview_image_url TEXT,
    is_public BOOLEAN DEFAULT false NOT NULL,
    is_marketplace_item BOOLEAN DEFAULT false NOT NULL,
    price NUMERIC(18, 4) DEFAULT 0 NOT NULL,
    currency CHAR(3) DEFAULT 'USD' NOT NULL,
    downloads BIGINT DEFAULT 0 NOT NULL,
    likes BIGINT DEFAULT 0 NOT NULL,
    search_vector TSVECTOR,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT component_library_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT component_type_is_known CHECK (component_type IN ('landing_page', 'form', 'header', 'footer',
        'hero_section', 'testimonials', 'pricing', 'email_template', 'popup', 'navigation', 'custom')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT price_is_not_negative CHECK (price >= 0),
    CONSTRAINT downloads_is_not_negative CHECK (downloads >= 0),
    CONSTRAINT likes_is_not_negative CHECK (likes >= 0),
    CONSTRAINT component_library_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT component_library_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX component_library_by_user_id ON component_library (user_id);
CREATE INDEX component_library_marketplace ON component_library (category) WHERE is_marketplace_item AND deleted_at IS
    NULL;
CREATE INDEX component_library_public ON component_library (category) WHERE is_public AND deleted_at IS NULL;
CREATE INDEX component_library_search_props_schema ON component_library USING gin (props_schema);
CREATE INDEX component_library_search_search_vector ON component_library USING gin (search_vector);
CREATE INDEX component_library_search_tags ON component_library USING gin (tags);

CREATE TABLE templates (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    code BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id UUID,
    product TEXT NOT NULL,
    kind TEXT DEFAULT 'email' NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    subject TEXT,
    preheader TEXT,
    html_content TEXT,
    text_content TEXT,
    category TEXT,
    status TEXT DEFAULT 'draft' NOT NULL,
    current_version INTEGER DEFAULT 1 NOT NULL,
    is_public BOOLEAN DEFAULT false NOT NULL,
    is_library BOOLEAN DEFAULT false NOT NULL,
    is_featured BOOLEAN DEFAULT false NOT NULL,
    is_active BOOLEAN DEFAULT true NOT NULL,
    usage_count BIGINT DEFAULT 0 NOT NULL,
    thumbnail_url TEXT,
    original_image_url TEXT,
    width INTEGER,
    height INTEGER,
    format TEXT,
    industry TEXT,
    style TEXT,
    campaign_type TEXT,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    search_vector TSVECTOR,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT templates_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT product_is_known CHECK (product IN ('email_studio', 'web_builder', 'craft_ads', 'ads_autopilot',
        'mailer')),
    CONSTRAINT kind_is_known CHECK (kind IN ('email', 'ad')),
    CONSTRAINT status_is_known CHECK (status IN ('draft', 'published', 'retired')),
    CONSTRAINT usage_count_is_not_negative CHECK (usage_count >= 0),
    CONSTRAINT a_picture_has_an_extent CHECK (width > 0 AND height > 0),
    CONSTRAINT templates_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT templates_user_id_exists FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX templates_by_kind_industry_style ON templates (kind, industry, style, campaign_type);
CREATE INDEX templates_by_user_id ON templates (user_id);
CREATE INDEX templates_featured ON templates (workspace_id) WHERE is_featured AND is_active;
CREATE INDEX templates_search_metadata ON templates USING gin (metadata);
CREATE INDEX templates_search_search_vector ON templates USING gin (search_vector);

CREATE TABLE template_categories (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    template_id UUID NOT NULL,
    category_id UUID NOT NULL,
    category_workspace_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT template_categories_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT template_categories_workspace_id_template_id_exists FOREIGN KEY(workspace_id, template_id) REFERENCES
        templates (workspace_id, id),
    CONSTRAINT category_exists FOREIGN KEY(category_workspace_id, category_id) REFERENCES categories (workspace_id, id),
    CONSTRAINT category_is_own_or_from_the_library CHECK (category_workspace_id = workspace_id OR category_workspace_id
        = '00000000-0000-7000-8000-000000000000'::uuid),
    CONSTRAINT category_and_its_workspace_come_together CHECK ((category_id IS NULL) = (category_workspace_id IS NULL)),
    CONSTRAINT template_categories_workspace_id_template_id_category_i_26b2 UNIQUE (workspace_id, template_id,
        category_id),
    CONSTRAINT template_categories_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX template_categories_by_category_id ON template_categories (category_workspace_id, category_id);

CREATE TABLE template_metrics (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    template_id UUID NOT NULL,
    impressions BIGINT DEFAULT 0 NOT NULL,
    clicks BIGINT DEFAULT 0 NOT NULL,
    conversions BIGINT DEFAULT 0 NOT NULL,
    engagements BIGINT DEFAULT 0 NOT NULL,
    performance_data JSONB DEFAULT '{}'::jsonb NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT template_metrics_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT impressions_is_not_negative CHECK (impressions >= 0),
    CONSTRAINT clicks_is_not_negative CHECK (clicks >= 0),
    CONSTRAINT conversions_is_not_negative CHECK (conversions >= 0),
    CONSTRAINT engagements_is_not_negative CHECK (engagements >= 0),
    CONSTRAINT template_metrics_workspace_id_template_id_exists FOREIGN KEY(workspace_id, template_id) REFERENCES
        templates (workspace_id, id),
    CONSTRAINT template_metrics_workspace_id_template_id_recorded_at_is_unique UNIQUE (workspace_id, template_id,
        recorded_at),
    CONSTRAINT template_metrics_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX template_metrics_by_recorded_at ON template_metrics (recorded_at);
CREATE INDEX template_metrics_search_performance_data ON template_metrics USING gin (performance_data);

CREATE TABLE template_sections (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    template_id UUID NOT NULL,
    kind TEXT NOT NULL,
    position INTEGER NOT NULL,
    content JSONB DEFAULT '{}'::jsonb NOT NULL,
    html_content TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT template_sections_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT position_is_not_negative CHECK (position >= 0),
    CONSTRAINT template_sections_workspace_id_template_id_exists FOREIGN KEY(workspace_id, template_id) REFERENCES
        templates (workspace_id, id),
    CONSTRAINT template_sections_workspace_id_template_id_position_is_unique UNIQUE (workspace_id, template_id,
        position) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT template_sections_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);
CREATE INDEX template_sections_search_content ON template_sections USING gin (content);

CREATE TABLE template_versions (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    template_id UUID NOT NULL,
    version INTEGER NOT NULL,
    reason TEXT DEFAULT 'snapshot' NOT NULL,
    subject TEXT,
    preheader TEXT,
    html_content TEXT,
    text_content TEXT,
    sections JSONB DEFAULT '[]'::jsonb NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    created_by TEXT,
    note TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT template_versions_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT reason_is_known CHECK (reason IN ('auto_save', 'snapshot', 'publish', 'roll_back')),
    CONSTRAINT a_publication_has_a_date CHECK ((reason = 'publish') = (published_at IS NOT NULL)),
    CONSTRAINT template_versions_workspace_id_template_id_exists FOREIGN KEY(workspace_id, template_id) REFERENCES
        templates (workspace_id, id),
    CONSTRAINT template_versions_workspace_id_template_id_version_is_unique UNIQUE (workspace_id, template_id, version),
    CONSTRAINT template_versions_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE TABLE workspace_templates (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    library_template_id UUID NOT NULL,
    library_template_workspace_id UUID NOT NULL,
    template_id UUID,
    customizations JSONB DEFAULT '{}'::jsonb NOT NULL,
    customized_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT workspace_templates_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT library_template_exists FOREIGN KEY(library_template_workspace_id, library_template_id) REFERENCES
        templates (workspace_id, id),
    CONSTRAINT library_template_is_own_or_from_the_library CHECK (library_template_workspace_id = workspace_id OR
        library_template_workspace_id = '00000000-0000-7000-8000-000000000000'::uuid),
    CONSTRAINT library_template_and_its_workspace_come_together CHECK ((library_template_id IS NULL) =
        (library_template_workspace_id IS NULL)),
    CONSTRAINT workspace_templates_workspace_id_template_id_exists FOREIGN KEY(workspace_id, template_id) REFERENCES
        templates (workspace_id, id),
    CONSTRAINT workspace_templates_has_a_copy_once UNIQUE NULLS NOT DISTINCT (workspace_id, library_template_id,
        template_id),
    CONSTRAINT workspace_templates_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT workspace_templates_customized_by_exists FOREIGN KEY(customized_by) REFERENCES users (id)
);
CREATE INDEX workspace_templates_by_template_id ON workspace_templates (workspace_id, template_id);
COMMENT ON COLUMN workspace_templates.template_id IS 'The workspace''s own copy.';
"""

GUARDS = """
SELECT guard_tenant_table('templates', 'library');
SELECT guard_tenant_table('template_versions', 'library');
SELECT guard_tenant_table('template_sections', 'library');
SELECT guard_tenant_table('categories', 'library');
SELECT guard_tenant_table('template_categories', 'library');
SELECT guard_tenant_table('template_metrics', 'library');
SELECT guard_tenant_table('workspace_templates');
SELECT guard_tenant_table('component_library');
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("""
    DROP TABLE workspace_templates, template_versions, template_sections, template_metrics, template_categories,
        templates, component_library, categories;
    """)
