"""How commands speak: to a person, on a line of their own."""

from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(sentence: str) -> None:
    out.print(sentence, markup=False, soft_wrap=True)


def plain(sentence: str) -> str:
    """As it is written: brackets are no markup."""
    return sentence.replace("[", "\\[")
