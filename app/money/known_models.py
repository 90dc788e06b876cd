"""A model as the ledger calls it: providers' bills add the day of its version, or leave out the end of its name."""

import re
from collections.abc import Collection

_VERSION = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


def known_as(model: str, known: Collection[str]) -> str:
    """The known name where exactly one fits; else the name as the bill has it."""
    if model in known:
        return model
    plain = _VERSION.sub("", model)
    if plain in known:
        return plain
    fitting = [one for one in known if _VERSION.sub("", one) == plain] or [
        one for one in known if one.startswith((f"{plain}-", f"{plain}."))
    ]
    return fitting[0] if len(fitting) == 1 else model
