"""The facts that the lake copies: what happened, with the columns that numbers need."""

from app.lake.source import (
    BIG,
    CAMPAIGN,
    CAMPAIGN_CODE,
    CONTACT,
    COST,
    DAY,
    FLAG,
    INSTANT,
    INT,
    MAYBE_CAMPAIGN,
    MONEY,
    ROW_ID,
    SECONDS,
    TEXT,
    USER,
    USER_CODE,
    WORKSPACE,
    WORKSPACE_CODE,
    Source,
    listed_columns,
)


def _fact(name: str, month: str, columns: str, joins: tuple[str, ...], order: tuple[str, ...]) -> Source:
    return Source(
        name,
        listed_columns(f"{ROW_ID}\n{WORKSPACE_CODE}\n{columns}"),
        key=("id",),
        primary_key=("workspace_id", "id", month),
        joins=" ".join((WORKSPACE, *joins)),
        order=order,
        month=month,
    )


FACTS = (
    _fact(
        "email_events",
        "occurred_at",
        f"""
        {CAMPAIGN_CODE}
        contact_code {BIG} = p.code
        occurred_at {INSTANT}
        event_type {TEXT}
        provider {TEXT}
        device_type {TEXT}
        location {TEXT}
        email_domain {TEXT} = p.email_domain
        link_url {TEXT}
        bounce_type {TEXT}
        bounce_reason {TEXT}
        is_machine_open {FLAG}
        machine_rules_version {INT}
        """,
        (CAMPAIGN, CONTACT),
        ("workspace_code", "campaign_code", "occurred_at"),
    ),
    Source(
        "email_sends",
        listed_columns(f"""
        {WORKSPACE_CODE}
        {CAMPAIGN_CODE}
        contact_code {BIG} = p.code
        sends_month {DAY}
        email_domain {TEXT} = p.email_domain
        first_sent_at {INSTANT}
        first_delivered_at {INSTANT}
        last_delivered_at {INSTANT}
        first_opened_at {INSTANT}
        first_human_opened_at {INSTANT}
        first_clicked_at {INSTANT}
        last_engaged_at {INSTANT}
        first_bounced_at {INSTANT}
        bounce_type {TEXT}
        first_unsubscribed_at {INSTANT}
        first_complained_at {INSTANT}
        opens {INT}
        machine_opens {INT}
        clicks {INT}
        """),
        key=("campaign_code", "contact_code"),
        primary_key=("workspace_id", "campaign_id", "contact_id", "sends_month"),
        joins=f"{WORKSPACE} {CAMPAIGN} {CONTACT}",
        order=("workspace_code", "campaign_code", "contact_code"),
        month="sends_month",
    ),
    _fact(
        "campaign_events",
        "occurred_at",
        f"""
        {CAMPAIGN_CODE}
        component_id {TEXT} = t.component_id::text
        occurred_at {INSTANT}
        event_type {TEXT}
        session_id {TEXT}
        source {TEXT}
        medium {TEXT}
        country {TEXT}
        """,
        (CAMPAIGN,),
        ("workspace_code", "campaign_code", "occurred_at"),
    ),
    _fact(
        "conversions",
        "occurred_at",
        f"""
        {CAMPAIGN_CODE}
        component_id {TEXT} = t.component_id::text
        occurred_at {INSTANT}
        conversion_type {TEXT}
        value {MONEY}
        currency {TEXT} = t.currency::text
        session_id {TEXT}
        source {TEXT}
        medium {TEXT}
        """,
        (CAMPAIGN,),
        ("workspace_code", "campaign_code", "occurred_at"),
    ),
    _fact(
        "performance_analytics",
        "date",
        f"""
        {CAMPAIGN_CODE}
        day {DAY} = t.date
        breakdown {TEXT}
        hour {INT}
        platform {TEXT}
        placement {TEXT}
        age_range {TEXT}
        gender {TEXT}
        location {TEXT}
        impressions {BIG}
        reach {BIG}
        clicks {BIG}
        spend {MONEY}
        conversions {BIG}
        revenue {MONEY}
        currency {TEXT} = t.currency::text
        restatements {INT}
        """,
        (CAMPAIGN,),
        ("workspace_code", "campaign_code", "day"),
    ),
    _fact(
        "ai_generations",
        "created_at",
        f"""
        {USER_CODE}
        {CAMPAIGN_CODE}
        component_id {TEXT} = t.component_id::text
        template_id {TEXT} = t.template_id::text
        created_at {INSTANT}
        product {TEXT}
        provider {TEXT}
        model {TEXT}
        generation_type {TEXT}
        service_tier {TEXT}
        attempt {INT}
        status {TEXT}
        error_code {TEXT}
        input_tokens {BIG}
        cached_input_tokens {BIG}
        cache_write_tokens {BIG}
        output_tokens {BIG}
        reasoning_tokens {BIG}
        images {INT}
        audio_seconds {SECONDS}
        video_seconds {SECONDS}
        tool_calls {INT}
        cost {COST}
        cache_saving {COST}
        batch_saving {COST}
        reported_cost {COST}
        price_version {INT}
        credits_used {INT}
        generation_time_ms {BIG}
        iterations {INT}
        user_rating {INT}
        accepted {FLAG}
        """,
        (USER, MAYBE_CAMPAIGN),
        ("workspace_code", "user_code", "created_at"),
    ),
    _fact(
        "ai_cost_tracking",
        "date",
        f"""
        {USER_CODE}
        day {DAY} = t.date
        provider {TEXT}
        model {TEXT}
        cost {COST}
        generations_count {BIG}
        failed_count {BIG}
        unpriced_count {BIG}
        tokens_used {BIG}
        """,
        (USER,),
        ("workspace_code", "user_code", "day"),
    ),
    _fact(
        "ai_optimization_logs",
        "optimized_at",
        f"""
        {CAMPAIGN_CODE}
        optimized_at {INSTANT}
        optimization_type {TEXT}
        success {FLAG}
        """,
        (CAMPAIGN,),
        ("workspace_code", "campaign_code", "optimized_at"),
    ),
    _fact(
        "usage_logs",
        "logged_at",
        f"""
        {USER_CODE}
        logged_at {INSTANT}
        product {TEXT}
        feature {TEXT}
        credits_consumed {INT}
        quantity {BIG}
        """,
        (USER,),
        ("workspace_code", "user_code", "logged_at"),
    ),
    _fact(
        "user_usage",
        "month",
        f"""
        {USER_CODE}
        month {DAY}
        campaigns_generated {BIG}
        ai_credits_used {BIG}
        storage_bytes_used {BIG}
        api_calls_made {BIG}
        """,
        (USER,),
        ("workspace_code", "user_code"),
    ),
)
