"""What pages are made of is loaded with Streamlit's client, before the first page asks for it."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).parent / "ahead.js"
_BELOW = "static/js"
# Of the kit, and of most pages. What only some need, and forms, is loaded when it is met.
_KINDS = (
    "Html", "Button", "Selectbox", "MenuButton", "ButtonGroup", "TextInput", "Checkbox", "Pagination", "Multiselect",
)  # fmt: skip
_IMPORTED = re.compile(r"""(?:from|import)\s*["'`]\./([\w.-]+\.js)["'`]""")


@dataclass(frozen=True)
class Ahead:
    """A module in the place of the client's own loader, and the files that it asks for."""

    # The address of the client's own loader.
    loader: str
    script: str
    needed: tuple[str, ...]

    def head(self, path: str) -> str:
        """For the head of the page, before any script; the module is served at the path."""
        instead = json.dumps({"imports": {self.loader: path}})
        files = (f'<link rel="modulepreload" crossorigin href="{one}">' for one in (path, *self.needed))
        return "\n    ".join((f'<script type="importmap">{instead}</script>', *files))


def ahead_of(folder: Path) -> Ahead | None:
    """What is in the client's folder; a client that loads its kinds in another way is left as it is."""
    files = folder / _BELOW
    loader = next(files.glob("preload-helper.*.js"), None)
    kinds = [found.name for kind in _KINDS for found in files.glob(f"{kind}.*.js")]
    if loader is None or not kinds:
        return None
    at = f"/{_BELOW}/{loader.name}"
    script = _SCRIPT.read_text(encoding="utf-8").replace("HELPER", at).replace("KINDS", json.dumps(kinds))
    html = (folder / "index.html").read_text(encoding="utf-8")
    needed = tuple(f"/{_BELOW}/{name}" for name in _with_imports(files, kinds) if name not in html)
    return Ahead(at, script, needed)


def _with_imports(files: Path, names: Iterable[str]) -> list[str]:
    found = list(names)
    for name in found:
        found += [more for more in _imports(files / name) if more not in found]
    return found


def _imports(file: Path) -> list[str]:
    return list(dict.fromkeys(_IMPORTED.findall(file.read_text(encoding="utf-8"))))
