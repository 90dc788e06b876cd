"""A model as the ledger calls it: providers' bills add the day of its version, or leave out the end of its name.

Google's bills say `imagen 4` where its interface says `imagen-4.0-generate-001`.
"""

import re
from collections.abc import Collection

_VERSION = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")
_SPELLING = re.compile(r"\.0(?=-|$)|-generate-(\d{3}|preview)$")


def known_as(model: str, known: Collection[str]) -> str:
    """The known name where exactly one fits; else the name as the bill has it."""
    if model in known:
        return model
    plain = _VERSION.sub("", model)
    if plain in known:
        return plain
    fitting = [one for one in known if _plain(one) == _plain(model)] or [
        one for one in known if one.startswith((f"{plain}-", f"{plain}."))
    ]
    return fitting[0] if len(fitting) == 1 else model


def _plain(model: str) -> str:
    return _SPELLING.sub("", _VERSION.sub("", model))
