"""What drafts of plans would have done to those who have the plan now, and what publications really did.

A draft is published on the strength of a forecast, and two weeks later the forecast is read beside the truth: both
stay as they were found, with the draft as it was.

Revision: 0028
Follows: 0027
"""

from migrations.running import run

revision = "0028"
down_revision = "0027"

TABLES = """
CREATE TABLE plan_simulations (
    id UUID DEFAULT uuid_v7() NOT NULL,
    plan_id UUID NOT NULL,
    plan_revision INTEGER NOT NULL,
    kind TEXT DEFAULT 'forecast' NOT NULL,
    terms JSONB DEFAULT '{}'::jsonb NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    currency CHAR(3) NOT NULL,
    revenue_before NUMERIC(28, 12) NOT NULL,
    revenue_after NUMERIC(28, 12) NOT NULL,
    ai_cost_before NUMERIC(28, 12) NOT NULL,
    ai_cost_after NUMERIC(28, 12) NOT NULL,
    margin_before NUMERIC(28, 12) NOT NULL,
    margin_after NUMERIC(28, 12) NOT NULL,
    workspaces INTEGER NOT NULL,
    workspaces_hit_before INTEGER NOT NULL,
    workspaces_hit INTEGER NOT NULL,
    workspaces_eased INTEGER NOT NULL,
    calls BIGINT NOT NULL,
    refused_before BIGINT NOT NULL,
    refused_after BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    made_by UUID,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT plan_simulations_key PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('forecast', 'outcome')),
    CONSTRAINT currency_is_a_currency_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT revenue_before_is_not_negative CHECK (revenue_before >= 0),
    CONSTRAINT revenue_after_is_not_negative CHECK (revenue_after >= 0),
    CONSTRAINT workspaces_is_not_negative CHECK (workspaces >= 0),
    CONSTRAINT calls_is_not_negative CHECK (calls >= 0),
    CONSTRAINT a_window_ends_after_it_starts CHECK (until > since),
    CONSTRAINT a_margin_is_revenue_less_cost CHECK (margin_before = revenue_before - ai_cost_before
        AND margin_after = revenue_after - ai_cost_after),
    CONSTRAINT no_more_are_hit_than_there_are CHECK (workspaces_hit BETWEEN 0 AND workspaces
        AND workspaces_hit_before BETWEEN 0 AND workspaces AND workspaces_eased BETWEEN 0 AND workspaces),
    CONSTRAINT no_more_is_refused_than_was_asked CHECK (refused_before BETWEEN 0 AND calls
        AND refused_after BETWEEN 0 AND calls AND unpriced >= 0),
    CONSTRAINT plan_simulations_plan_id_exists FOREIGN KEY(plan_id) REFERENCES plans (id),
    CONSTRAINT plan_simulations_made_by_exists FOREIGN KEY(made_by) REFERENCES team_members (id)
);
CREATE INDEX plan_simulations_by_plan_id ON plan_simulations (plan_id, made_at);
COMMENT ON COLUMN plan_simulations.kind IS
    'forecast: a draft over usage that was; outcome: a published plan over usage since.';
COMMENT ON COLUMN plan_simulations.terms IS 'The plan and its limits as they were when this was found.';
COMMENT ON COLUMN plan_simulations.unpriced IS 'Calls of AI without a price: they are in no cost.';

CREATE TABLE plan_simulation_workspaces (
    workspace_id UUID NOT NULL,
    id UUID DEFAULT uuid_v7() NOT NULL,
    simulation_id UUID NOT NULL,
    revenue_before NUMERIC(28, 12) NOT NULL,
    revenue_after NUMERIC(28, 12) NOT NULL,
    ai_cost_before NUMERIC(28, 12) NOT NULL,
    ai_cost_after NUMERIC(28, 12) NOT NULL,
    calls BIGINT NOT NULL,
    refused_before BIGINT NOT NULL,
    refused_after BIGINT NOT NULL,
    first_hit_at TIMESTAMP WITH TIME ZONE,
    gains_room BOOLEAN DEFAULT false NOT NULL,
    goes_over BOOLEAN DEFAULT false NOT NULL,
    details JSONB DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT plan_simulation_workspaces_key PRIMARY KEY (workspace_id, id),
    CONSTRAINT no_more_is_refused_than_was_asked CHECK (refused_before BETWEEN 0 AND calls
        AND refused_after BETWEEN 0 AND calls),
    CONSTRAINT what_is_refused_began CHECK ((refused_after > 0) = (first_hit_at IS NOT NULL)),
    CONSTRAINT plan_simulation_workspaces_workspace_id_exists FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT plan_simulation_workspaces_simulation_id_exists FOREIGN KEY(simulation_id) REFERENCES plan_simulations
        (id),
    CONSTRAINT plan_simulation_workspaces_simulation_id_workspace_id_is_unique UNIQUE (simulation_id, workspace_id)
);
COMMENT ON COLUMN plan_simulation_workspaces.goes_over IS 'Passed a soft limit, or went on in grace.';
COMMENT ON COLUMN plan_simulation_workspaces.details IS
    'Its prices, and per limit that was passed: when first, how much was refused, and what the product shows then.';
"""

GUARDS = """
SELECT guard_company_table('plan_simulations');
SELECT guard_tenant_table('plan_simulation_workspaces');
-- What was found is never changed: a later simulation is another row.
REVOKE UPDATE, DELETE ON plan_simulations, plan_simulation_workspaces FROM app_rw;
CREATE TRIGGER audit_inserts AFTER INSERT ON plan_simulations REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION audit_changes('id', '', 'terms');
"""


def upgrade() -> None:
    run(TABLES)
    run(GUARDS)


def downgrade() -> None:
    run("DROP TABLE plan_simulation_workspaces, plan_simulations;")
