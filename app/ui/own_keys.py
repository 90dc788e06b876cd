"""Keys of Sightline itself: whether each is set, what it is for, and what is off without it. Never what it is."""

from dataclasses import dataclass

from pydantic import SecretStr

from app import serving
from app.commands.company import sees_whole_company
from app.settings import settings
from app.ui.empty import nothing_here
from app.ui.markup import with_code
from app.ui.scope import Scope
from app.ui.tables import table


@dataclass(frozen=True)
class _OwnKey:
    variable: str
    is_for: str
    off: str
    value: SecretStr | str

    @property
    def is_set(self) -> bool:
        value = self.value.get_secret_value() if isinstance(self.value, SecretStr) else self.value
        return bool(value)


def own_keys(scope: Scope) -> None:
    """They are environment variables: here is seen whether they are there, and nothing is changed."""
    if not sees_whole_company(serving.engines().ro, scope.viewer):
        nothing_here("Keys of Sightline itself are the company's.", fill="Admins who see every workspace see them.")
        return
    table(
        [
            {
                "variable": one.variable,
                "state": "✓ set" if one.is_set else "– not set",
                "is_for": one.is_for,
                "off": "nothing" if one.is_set else with_code(one.off),
            }
            for one in _keys()
        ],
        name="own-keys",
        title="Sightline's own keys",
        why="Settings of this installation, given as environment variables. Their values are shown nowhere.",
        columns={"variable": "Setting", "state": "State", "is_for": "What it is for", "off": "What is off"},
        scope=scope,
    )


def _keys() -> tuple[_OwnKey, ...]:
    now = settings()
    files = "Bills are read from files alone: `sightline import bill`."
    return (
        _OwnKey("SIGHTLINE_OPENAI_ADMIN_KEY", "Asking OpenAI for its costs and usage", files, now.openai_admin_key),
        _OwnKey("SIGHTLINE_ANTHROPIC_ADMIN_KEY", "Asking Anthropic for its reports", files, now.anthropic_admin_key),
        _OwnKey("SIGHTLINE_STRIPE_KEY", "Asking Stripe for its invoices",
            "Stripe's invoices are read from files alone: `sightline import invoices`.", now.stripe_key),
        _OwnKey("OPENAI_API_KEY", "Drafting and rewriting with AI", "Drafting and rewriting.", now.openai_api_key),
        _OwnKey("SIGHTLINE_SMTP_URL", "Sending alerts by e-mail", "Alerts by e-mail.", now.smtp_url),
        _OwnKey("SIGHTLINE_ALERT_WEBHOOK", "Sending alerts to a webhook", "Alerts to a webhook.", now.alert_webhook),
        _OwnKey("SIGHTLINE_OIDC_ISSUER", "Signing in through a provider", "Signing in through a provider.",
            now.oidc_issuer),
        _OwnKey("SIGHTLINE_OIDC_CLIENT_SECRET", "Proving to that provider who asks",
            "Nothing, with a public client; else signing in through it.", now.oidc_client_secret),
        _OwnKey("SIGHTLINE_METRICS_TOKEN", "Reading /metrics from elsewhere", "/metrics answers on this machine alone.",
            now.metrics_token),
    )  # fmt: skip
