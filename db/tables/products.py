"""The five products, and the lists of values that several areas share."""

PRODUCTS = ("email_studio", "web_builder", "craft_ads", "ads_autopilot", "mailer")
CHANNELS = ("email", "web", "ads")
TIERS = ("free", "starter", "creator", "growth", "pro", "business", "agency", "scale")
BILLING_PERIODS = ("monthly", "annual")
AI_PROVIDERS = ("openai", "anthropic", "google")
AI_UNITS = (
    "input",
    "cached_input",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "audio_input",
    "cached_audio_input",
    "audio_output",
    "image_input",
    "cached_image_input",
    "image_output",
    "video_input",
    "video_output",
    "image",
    "audio_second",
    "video_second",
    "tool_call",
)
METERS = (
    "generations",
    "image_generations",
    "video_generations",
    "ai_credits",
    "emails",
    "contacts",
    "campaigns",
    "storage_bytes",
    "api_calls",
    "template_versions",
    "imagen",
    "veo",
)
PERIODS = ("day", "month", "year", "lifetime")
