"""What people type, made fit to be kept."""


def one_line(text: str) -> str:
    """Without control characters, and with single spaces."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
