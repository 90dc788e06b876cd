"""The one error a person gets to read: what happened, why, and what to do about it.

It lives in `db`, the lowest package, so that every layer can raise it.
"""


class SightlineError(Exception):
    """A failure that is explained to the person who met it."""

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        self.what = what
        self.why = why
        self.fix = fix
        super().__init__(str(self))

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.fix) if part)
