"""The list of commands: each is imported when it is asked for, so that a start costs what its own command needs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, cast

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

MARKUP: Final = "markdown"


@dataclass(frozen=True)
class Line:
    """What a command is called, where it is in this package, and what is said of it in the list of all."""

    name: str
    place: str
    says: str


class Commands(Mapping[str, TyperCommand | TyperGroup]):
    """The commands themselves, by their names."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self._lines = {line.name: line for line in lines}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        line = self._lines[name]
        module, attribute = line.place.split(":")
        found = getattr(import_module(f"{__package__}.{module}"), attribute)
        alone = typer.Typer(rich_markup_mode=MARKUP)
        if isinstance(found, typer.Typer):
            alone.add_typer(found, name=name, help=line.says)
        else:
            alone.command(name=name)(found)
        return cast("TyperCommand | TyperGroup", typer.main.get_group(alone).commands[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


class _Shown(TyperCommand):
    """A line of the list, in the place of its command until that is called."""

    def __init__(self, line: Line, commands: Commands) -> None:
        super().__init__(line.name, help=line.says)
        self._commands = commands

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:  # noqa: ANN401 - as Typer's own
        return self._commands[str(self.name)].make_context(info_name, args, parent, **extra)


class Listed(TyperGroup):
    """A group whose `--help` and whose choice import no more than was asked for."""

    lines: tuple[Line, ...] = ()

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - as Typer gives them
        super().__init__(**attributes)
        commands = Commands(self.lines)
        self.commands = cast("dict[str, Any]", commands)
        self._shown = {line.name: _Shown(line, commands) for line in self.lines}

    def list_commands(self, _context: object) -> list[str]:
        return list(self._shown)

    def get_command(self, _context: object, name: str) -> TyperCommand | None:
        return self._shown.get(name)
