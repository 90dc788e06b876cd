"""A device in words, from what its browser says of itself: enough to recognise one's own."""

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "A Python program"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str | None) -> str:
    """Such as Firefox on Linux. The first that fits counts: most browsers claim to be Safari too."""
    said = user_agent or ""
    browser = next((name for sign, name in _BROWSERS if sign in said), "An unknown program")
    system = next((name for sign, name in _SYSTEMS if sign in said), None)
    return f"{browser} on {system}" if system else browser
