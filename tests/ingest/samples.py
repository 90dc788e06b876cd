"""Files as providers give them, small enough to be checked in the head."""

import json
from datetime import UTC, datetime

_DAY = 86_400


def seconds(day):
    """Midnight of a day such as 2026-09-05, since 1970."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def openai_bucket(day, *results):
    start = seconds(day)
    return {"object": "bucket", "start_time": start, "end_time": start + _DAY, "results": list(results)}


def openai_cost(item, value, quantity=None, **more):
    told = {"quantity": quantity, "quantity_unit": "tokens"} if quantity is not None else {}
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": "usd"},
        "line_item": item,
        "project_id": None,
        **told,
        **more,
    }


def openai_usage(model, **counts):
    return {
        "object": "organization.usage.completions.result",
        "num_model_requests": 1,
        "model": model,
        "batch": False,
        "service_tier": "default",
        "input_tokens": 0,
        "output_tokens": 0,
        **counts,
    }


def page(*buckets, has_more=False):
    return {"object": "page", "data": list(buckets), "has_more": has_more, "next_page": "more" if has_more else None}


def anthropic_bucket(day, *results):
    after = datetime.fromtimestamp(seconds(day) + _DAY, UTC)
    return {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{after:%Y-%m-%d}T00:00:00Z", "results": list(results)}


def anthropic_cost(token_type, cents, model="claude-sonnet-4-20250514", **more):
    return {
        "amount": cents,
        "currency": "USD",
        "cost_type": "tokens",
        "description": f"Claude Sonnet 4 Usage - {token_type}",
        "model": model,
        "token_type": token_type,
        "service_tier": "standard",
        "context_window": "0-200k",
        "workspace_id": None,
        **more,
    }


def anthropic_usage(**counts):
    return {
        "model": "claude-sonnet-4-20250514",
        "service_tier": "standard",
        "context_window": "0-200k",
        "uncached_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "output_tokens": 0,
        "server_tool_use": {"web_search_requests": 0},
        **counts,
    }


GOOGLE_HEAD = (
    "Billing account name,Billing account ID,Project name,Project ID,Project hierarchy,Service description,Service ID,"
    "SKU description,SKU ID,Consumption model description,Credit type,Cost type,Usage start date,Usage end date,"
    "Usage amount,Usage unit,Unrounded Cost ($),Cost ($)"
)


def google_row(sku, day, amount, unit, cost, *, cost_type="Usage", end=None, service="Vertex AI"):
    quantity = f'"{amount}"' if "," in amount else amount
    return (
        f"Example,000000-000000-000000,ads,ads,example.com,{service},C7E2,{sku},K1,Default,,{cost_type},{day},"
        f"{end or day},{quantity},{unit},{cost},{round(float(cost), 2)}"
    )


def google_file(*rows, total=None):
    above = ["Invoice number,5012345678", "Invoice date,2026-10-01", "Currency,USD", ""]
    below = [] if total is None else [f",,,,,,,,,,,Total,,,,,{total},{total}"]
    return "\n".join([*above, GOOGLE_HEAD, *rows, *below]).encode()


def as_bytes(found):
    return json.dumps(found).encode()
