"""The only reader of the environment: every setting, its default and what it means."""

import hashlib
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from db.errors import SightlineError

PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """One attribute per setting; `validation_alias` is the variable that a person sets."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    home: Path = Field(
        default=PROJECT / ".sightline",
        validation_alias="SIGHTLINE_HOME",
        description="The one folder of all state: embedded server, lake, keys, uploads.",
    )
    port: int = Field(
        default=8501,
        ge=1,
        le=65535,
        validation_alias="PORT",
        description="The port on which the app is served, on 127.0.0.1.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description=(
            "A Postgres server (15 or newer) to use in place of the embedded one, as a role that may create "
            "roles and owns the database. It is used for set-up; the app connects as its own roles."
        ),
    )
    read_url: SecretStr | None = Field(
        default=None,
        validation_alias="SIGHTLINE_READ_URL",
        description=(
            "A replica of the database from which the lake is filled, in place of the database itself; "
            "the app signs in to it as its own role."
        ),
    )
    lake: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="SIGHTLINE_LAKE",
        description=(
            "The lake that all machines share: a folder, or a bucket such as s3://bucket/prefix or gs://bucket/prefix; "
            "empty: `lake` in SIGHTLINE_HOME."
        ),
    )
    zone: str = Field(
        default="UTC",
        validation_alias="SIGHTLINE_ZONE",
        description="The reporting zone: the days of all figures are days there. A change makes the rollups anew.",
    )
    currency: str = Field(
        default="USD",
        pattern="^[A-Z]{3}$",
        validation_alias="SIGHTLINE_CURRENCY",
        description="The reporting currency: amounts are converted into it at the rate of their day.",
    )
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        validation_alias="SIGHTLINE_ENGINE",
        description="What makes the rollups: `duckdb` on this machine, or `spark` on a cluster.",
    )
    spark_remote: SecretStr = Field(
        default=SecretStr("sc://127.0.0.1:15002"),
        validation_alias="SIGHTLINE_SPARK_REMOTE",
        description="The Spark Connect address, where the engine is `spark`; it may hold a token.",
    )
    public_url: str = Field(
        default="",
        validation_alias="SIGHTLINE_PUBLIC_URL",
        description=(
            "Where people reach the app through a proxy, such as https://sightline.example; empty: on this machine "
            "alone. With https, cookies are Secure and browsers are told to stay with it."
        ),
    )
    oidc_issuer: str = Field(
        default="",
        validation_alias="SIGHTLINE_OIDC_ISSUER",
        description="The address of an OpenID Connect provider that people sign in with; empty: own accounts alone.",
    )
    oidc_client_id: str = Field(
        default="",
        validation_alias="SIGHTLINE_OIDC_CLIENT_ID",
        description="As what the provider knows Sightline; its redirect address there ends in /sign-in/oidc/callback.",
    )
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="SIGHTLINE_OIDC_CLIENT_SECRET",
        description="The secret that the provider gave Sightline; empty for a public client, which PKCE protects.",
    )
    oidc_roles_claim: str = Field(
        default="",
        validation_alias="SIGHTLINE_OIDC_ROLES_CLAIM",
        description=(
            "The claim whose values viewer, finance and admin become a new person's roles; from then on the roles in "
            "the database rule. Empty: only people of `sightline team add` get in."
        ),
    )
    openai_admin_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="SIGHTLINE_OPENAI_ADMIN_KEY",
        description="An admin key of the OpenAI organisation, to ask for its costs and usage; empty: files alone.",
    )
    openai_url: str = Field(
        default="https://api.openai.com/v1",
        validation_alias="SIGHTLINE_OPENAI_URL",
        description="Where OpenAI's costs and usage are asked for.",
    )
    anthropic_admin_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="SIGHTLINE_ANTHROPIC_ADMIN_KEY",
        description="An admin key of the Anthropic organisation, to ask for its reports; empty: files alone.",
    )
    anthropic_url: str = Field(
        default="https://api.anthropic.com/v1",
        validation_alias="SIGHTLINE_ANTHROPIC_URL",
        description="Where Anthropic's cost and usage reports are asked for.",
    )
    stripe_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="SIGHTLINE_STRIPE_KEY",
        description="A restricted key of Stripe that may read invoices, to compare them with ours; empty: files alone.",
    )
    stripe_url: str = Field(
        default="https://api.stripe.com/v1",
        validation_alias="SIGHTLINE_STRIPE_URL",
        description="Where Stripe's invoices are asked for.",
    )
    metrics_token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="SIGHTLINE_METRICS_TOKEN",
        description="The bearer token that opens /metrics from elsewhere; empty: it answers on this machine alone.",
    )
    openai_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="OPENAI_API_KEY",
        description="The key of the language models that draft and rewrite for admins; empty: that alone is off.",
    )
    openai_base_url: str = Field(
        default="https://api.openai.com/v1",
        validation_alias="OPENAI_BASE_URL",
        description="Where the models are: OpenAI's, or any server that speaks its format.",
    )
    ai_provider: Literal["openai", "anthropic", "google"] = Field(
        default="openai",
        validation_alias="SIGHTLINE_AI_PROVIDER",
        description="By whose prices and budgets those calls are reckoned: `openai`, `anthropic` or `google`.",
    )
    ai_model: str = Field(
        default="gpt-4o-mini",
        validation_alias="SIGHTLINE_AI_MODEL",
        description="The model that is asked, as the price book names it.",
    )
    ai_timeout_seconds: float = Field(
        default=60.0,
        gt=0,
        le=600,
        validation_alias="SIGHTLINE_AI_TIMEOUT_SECONDS",
        description="So many seconds without a sign of a model's answer end an attempt.",
    )
    ai_unpriced_ceiling: Decimal | None = Field(
        default=None,
        ge=0,
        validation_alias="SIGHTLINE_AI_UNPRICED_CEILING",
        description="What a call is taken to cost at most, in dollars, where no price of its model is known; "
        "empty: such calls are refused.",
    )
    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="SIGHTLINE_SMTP_URL",
        description=(
            "The mail server that sends alerts, such as smtps://user:password@mail.example:465 or "
            "smtp://mail.example:587?starttls=1; empty: none are sent by e-mail."
        ),
    )
    alert_from: str = Field(
        default="",
        validation_alias="SIGHTLINE_ALERT_FROM",
        description="The address that alerts are sent from; empty: the first one they are sent to.",
    )
    alert_to: str = Field(
        default="",
        validation_alias="SIGHTLINE_ALERT_TO",
        description="The addresses that alerts are sent to, with commas between them.",
    )
    alert_webhook: SecretStr = Field(
        default=SecretStr(""),
        validation_alias="SIGHTLINE_ALERT_WEBHOOK",
        description="A webhook that takes alerts as Slack takes messages: JSON with a `text`; empty: none.",
    )
    log_format: Literal["console", "json"] = Field(
        default="console",
        validation_alias="SIGHTLINE_LOG_FORMAT",
        description="How log lines look: `console` for people, `json` for collectors.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        validation_alias="SIGHTLINE_LOG_LEVEL",
        description="The least severe log line that is written.",
    )

    @field_validator("home")
    @classmethod
    def _absolute_home(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("database_url", "read_url", mode="before")
    @classmethod
    def _empty_means_none(cls, url: object) -> object:
        return None if url == "" else url

    @field_validator("ai_unpriced_ceiling", mode="before")
    @classmethod
    def _empty_means_refused(cls, amount: object) -> object:
        return None if amount == "" else amount

    @field_validator("public_url", "oidc_issuer", "openai_base_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
            raise ValueError("it must look like https://sightline.example")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, url: SecretStr) -> SecretStr:
        # The address may hold a password: the message must not repeat it.
        if url.get_secret_value() and not re.fullmatch(
            r"smtps?://([^\s/?#@]*@)?[^\s/?#@:]+(:\d{1,5})?/?(\?starttls=[01])?", url.get_secret_value()
        ):
            raise ValueError("it must look like smtps://user:password@mail.example:465")
        return url

    @field_validator("alert_webhook")
    @classmethod
    def _webhook(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and not re.fullmatch(r"https?://[^\s/?#@]+[^\s#]*", url.get_secret_value()):
            raise ValueError("it must look like https://hooks.example/services/…")
        return url

    @field_validator("alert_to", "alert_from")
    @classmethod
    def _mail_addresses(cls, given: str) -> str:
        if any(not re.fullmatch(r"[^@\s,]+@[^@\s,]+", one.strip()) for one in given.split(",") if one.strip()):
            raise ValueError("it must be e-mail addresses with commas between them")
        return given

    @field_validator("public_url")
    @classmethod
    def _bare_host(cls, url: str) -> str:
        if urlsplit(url).path not in {"", "/"}:
            raise ValueError("it must name a host alone: the app is served at its root")
        return url.rstrip("/")

    @field_validator("lake")
    @classmethod
    def _folder_or_bucket(cls, lake: SecretStr) -> SecretStr:
        address = lake.get_secret_value()
        if "://" in address and not re.fullmatch(
            r"(s3|gs)://([^\s/?#@]*@)?[^\s/?#@:]+(/[^\s?#]*)?(\?[^\s#]*)?", address
        ):
            # The address may hold a secret key: the message must not repeat it.
            raise ValueError("it must be a folder, or look like s3://bucket/prefix or gs://bucket/prefix")
        return lake

    @field_validator("engine")
    @classmethod
    def _reaches_the_lake(cls, engine: str, info: ValidationInfo) -> str:
        lake = info.data.get("lake")
        if engine == "spark" and lake and "://" in lake.get_secret_value():
            raise ValueError("a cluster reads the lake from a folder that it shares; SIGHTLINE_LAKE names a bucket")
        return engine

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError("it must be a zone of the IANA list, such as Europe/Berlin or Asia/Kolkata")
        return zone

    @field_validator("database_url", "read_url")
    @classmethod
    def _postgres_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _names_a_postgres(url.get_secret_value()):
            # The address may hold a password: the message must not repeat it.
            raise ValueError("it must look like postgresql://user:password@host:5432/database")
        return url

    @property
    def alert_addresses(self) -> tuple[str, ...]:
        """To whom alerts are sent by e-mail."""
        return tuple(one.strip() for one in self.alert_to.split(",") if one.strip())

    @property
    def keys_folder(self) -> Path:
        """Where secrets of this copy lie: the app's keys and its database passwords."""
        return self.home / "keys"

    @property
    def lake_bucket(self) -> SecretStr | None:
        """The bucket of which the lake's folder is a mirror, if there is one."""
        return self.lake if "://" in self.lake.get_secret_value() else None

    @property
    def lake_folder(self) -> Path:
        """Where the lake lies on this machine. Each bucket has a mirror of its own, whoever signs in to it."""
        address = self.lake.get_secret_value()
        if self.lake_bucket:
            parts = urlsplit(address)
            told = (parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), parts.query)
            return self.home / f"lake-{hashlib.sha256(repr(told).encode()).hexdigest()[:12]}"
        return Path(address).expanduser().absolute() if address else self.home / "lake"

    @property
    def server_folder(self) -> Path:
        """Where the embedded Postgres keeps its data."""
        return self.home / "postgres"


def _names_a_postgres(address: str) -> bool:
    """Also one by its socket's folder: postgresql://user@/database?host=/run/postgresql."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        return False
    return url.get_backend_name() in {"postgresql", "postgres"} and bool(url.host or url.query.get("host"))


def variable_of(name: str) -> str:
    """The environment variable that sets a setting."""
    return str(Settings.model_fields[name].validation_alias)


@cache
def settings() -> Settings:
    """Read the environment once; a wrong value is named by its variable, never repeated."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False)[0]
        raise SightlineError(
            f"The setting {first['loc'][0]} can't be used.",
            why=f"{first['msg'].removeprefix('Value error, ')}.",
            fix="Correct it or unset it to use the default; the README lists every setting.",
        ) from None
