"""Every command is refused to who may not and where its arguments are wrong, and is told in the audit log."""

import ast
import inspect
import json
import pkgutil
from decimal import Decimal
from importlib import import_module
from textwrap import dedent

import pytest
from psycopg import DataError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app import cli, commands, ui
from app.access import NotPermittedError, Viewer
from app.ai.access import Access
from app.ai.metered import MeteredClient
from app.commands import pins
from app.commands.catalogue import COMMANDS
from app.web.api import BESIDE
from db.errors import SightlineError
from tests.ai.server import model_server, whole
from tests.commands.company import found
from tests.commands.recipes import NOBODY, RECIPES
from tests.servers import new_database


@pytest.fixture(scope="module")
def model():
    """A server that answers every wish with a template, and how it is reached."""
    with model_server() as server:
        server.steps = [whole(json.dumps({"html_content": "<p>Come in.</p>"}))] * 10_000
        yield Access("a key of a test", server.url, "openai", "m", 5.0, Decimal(1))


@pytest.fixture(scope="module", params=COMMANDS)
def case(request, server18, model):
    """A command, a company in which it can be given, and its arguments."""
    with new_database(server18) as fresh, pytest.MonkeyPatch.context() as patch:
        # The lake has no versions here; those are tried with the page that pins them.
        patch.setattr(pins, "keep_version", lambda _: None)
        patch.setattr(pins, "require_version", lambda _: None)
        patch.setitem(BESIDE, "client", lambda: MeteredClient(fresh.rw, model))
        company, recipe = found(fresh), RECIPES[request.param]
        yield COMMANDS[request.param], company, recipe.given(company), recipe


def beside(command):
    """What no program sends, as the API puts it there."""
    return {name: one() for name, one in BESIDE.items() if name in command.beside}


def put_in(given, wrong):
    """Deep: of what is nested, only what is named changes."""
    nested = {name: put_in(given[name], one) for name, one in wrong.items() if isinstance(one, dict)}
    return {**given, **wrong, **nested}


def test_whoever_lacks_the_permission_is_refused_in_a_sentence_and_nothing_is_written(case):
    """The function itself refuses, and not only who looks it up."""
    command, company, given, _ = case
    arguments = command.takes.validate_json(json.dumps(given))
    before = company.everything()
    for person in company.without(command.permission):
        with pytest.raises(NotPermittedError, match=f"{person.name} may not do this") as refused:
            command.does(company.database.rw, person, **arguments, **beside(command))
        assert f"({command.permission})" in str(refused.value)
    assert company.everything() == before


def test_what_can_not_be_is_refused_in_a_sentence_and_nothing_is_written(case):
    """Among it what is no object, and names that the command does not know."""
    command, company, given, recipe = case
    engine, person = company.database.rw, company.lowest(command.permission)
    before = company.everything()
    for wrong in ({**given, "is_admin": True}, [], "x", None):
        with pytest.raises(SightlineError, match="can't be used"):
            command.give(engine, person, json.dumps(wrong), **beside(command))
    with pytest.raises(SightlineError) as refused:
        command.give(engine, person, json.dumps(put_in(given, recipe.wrong)), **beside(command))
    assert recipe.says
    assert recipe.says in str(refused.value)
    assert company.everything() == before


def test_what_is_done_is_told_in_the_audit_log_with_who_what_and_why(case):
    command, company, given, _ = case
    person = company.lowest(command.permission)
    [(last,)] = company.ask("SELECT COALESCE(MAX(position), 0) FROM audit_log")
    command.give(company.database.rw, person, json.dumps(given), **beside(command))
    told = company.ask(
        "SELECT actor, action, before, after, reason FROM audit_log WHERE position > :last ORDER BY position", last=last
    )
    assert bool(told) != bool(command.not_audited)
    assert {actor for actor, *_ in told} <= {person.name}
    assert all((action != "insert") == (before is not None) for _, action, before, *_ in told)
    assert all((action != "delete") == (after is not None) for _, action, _, after, _ in told)
    asked = {"reason", "note"} & given.keys()
    if told and asked:
        assert {reason for *_, reason in told} == {given[name] for name in asked}


HOSTILE = (
    "", " ", "\u0000", "\ud800", "x" * 100_000, "' OR 1=1; --", "\u202e%s{}\n", "../../etc/passwd", NOBODY, "-1",
    "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z",
    "2016-12-31T23:59:60Z", "1e308", "0", 0, -1, 2**31, 2**63, 10**40, 0.1, True, None, [], ["\u0000"],
    [[]], {}, {"x": 1},
)  # fmt: skip


def spoilt(given):
    """The arguments with one of them, or one within one of them, replaced by what nobody means."""
    for name, value in given.items():
        for hostile in HOSTILE:
            yield {**given, name: hostile}
        if isinstance(value, dict):
            yield from ({**given, name: inner} for inner in spoilt(value))


def test_nothing_that_is_given_makes_it_fail_as_nobody_expected(case):
    """It is done, refused in a sentence, or is no value that the database has; no constraint has to catch it."""
    command, company, given, _ = case
    if command.not_by_api:
        pytest.skip("Nobody gives it with arguments of their own.")
    engine, person = company.database.rw, company.lowest(command.permission)
    failed = []
    for arguments in spoilt(given):
        try:
            command.give(engine, person, json.dumps(arguments), **beside(command))
        except SightlineError:
            continue
        except DBAPIError as error:
            if not isinstance(error.orig, DataError):
                failed.append((arguments, str(error.orig)))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            failed.append((arguments, repr(error)))
    assert [(str(arguments)[:300], error) for arguments, error in failed] == []


# --- The list is whole ------------------------------------------------------------------------------------------------


def modules():
    return [
        import_module(f"{commands.__name__}.{one.name}")
        for one in pkgutil.iter_modules(commands.__path__)
        if one.name != "catalogue"
    ]


def calls_of(function):
    """The names of what a function calls, and whether it opens a transaction that names an actor."""
    names, has_actor = set(), False
    for node in ast.walk(ast.parse(dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            names.add(name)
            has_actor |= name == "seeing" and any(one.arg == "actor" for one in node.keywords)
    return names, has_actor


def writers():
    """Every public function that takes an engine and a person and, by itself or by what it calls, writes."""
    functions = {
        (module.__name__, name): one
        for module in modules()
        for name, one in inspect.getmembers(module, inspect.isfunction)
        if one.__module__ == module.__name__
    }
    calls = {key: calls_of(one) for key, one in functions.items()}
    writing = {key for key, (_, has_actor) in calls.items() if has_actor}
    while more := {
        key for key, (names, _) in calls.items() if key not in writing and names & {name for _, name in writing}
    }:
        writing |= more
    for key in sorted(writing):
        takes = [one.annotation for one in list(inspect.signature(functions[key]).parameters.values())[:2]]
        is_part = key[1].startswith("_") or inspect.isgeneratorfunction(inspect.unwrap(functions[key]))
        if takes == [Engine, Viewer] and not is_part:
            yield functions[key]


def test_every_function_that_writes_for_a_person_is_a_command_of_the_catalogue():
    """Add it to app/commands/catalogue.py: the API and these tests go by it."""
    known = {command.does for command in COMMANDS.values()}
    assert [f"{one.__module__}.{one.__name__}" for one in writers() if one not in known] == []
    assert len(list(writers())) > 30


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_means_and_what_it_takes(name):
    assert COMMANDS[name].meaning.endswith(".")
    assert COMMANDS[name].schema["additionalProperties"] is False


def test_every_command_has_a_recipe():
    """Add it to tests/commands/recipes.py: what is given once, and what is wrong with it another time."""
    assert RECIPES.keys() == COMMANDS.keys()


# What admins change, by the first part of its commands' names.
OF_ADMINS = (
    "components", "credits", "customers", "integrations", "jobs", "plans", "quotas", "retention", "settings", "shelves",
    "subscriptions", "team", "templates", "workspaces",
)  # fmt: skip


def named_in(package):
    """All that the modules of a package name, as what it is."""
    for one in pkgutil.iter_modules(package.__path__):
        if one.name == "__main__":
            continue
        module = import_module(f"{package.__name__}.{one.name}")
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Name):
                yield getattr(module, node.id, None)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield getattr(getattr(module, node.value.id, None), node.attr, None)


@pytest.mark.parametrize("package", [cli, ui], ids=["command line", "pages"])
def test_what_admins_change_they_change_on_pages_and_at_the_command_line_by_the_same_functions(package):
    named = {one for one in named_in(package) if inspect.isfunction(one)}
    of_admins = [one for one in COMMANDS.values() if one.name.split(".")[0] in OF_ADMINS]
    assert len(of_admins) > 60
    assert [one.name for one in of_admins if one.does not in named] == []


def test_what_admins_change_programs_change_too_but_for_a_password_of_somebody_else():
    assert [one for one in COMMANDS if COMMANDS[one].not_by_api and one.split(".")[0] in OF_ADMINS] == [
        "team.reset_password"
    ]


# What an edit was made on: a number, what it said, what was looked at, or the things with the number of each.
STATES = {"revision", "was", "seen", "picked"}
WITHOUT_A_STATE = {
    "makes something new, or writes down what happened": {
        "bills.read", "budgets.create", "credits.grant", "credits.take_back", "customers.invite", "jobs.add",
        "months.correct", "plans.create", "plans.draft", "plans.review", "plans.simulate", "prices.add",
        "prices.propose", "prices.propose_charged", "prices.propose_from_bills", "prices.rate_new_calls",
        "quotas.override", "remarks.write", "shelves.create", "stops.start", "team.add", "templates.create",
        "templates.draft", "tokens.make",
    },
    "does one thing once: whoever is second finds it done, or is refused": {
        "alerts.acknowledge", "alerts.snooze", "customers.deactivate", "customers.end_sessions",
        "customers.reactivate", "customers.remove", "jobs.cancel", "jobs.keep", "jobs.run_again", "jobs.run_now",
        "months.close", "months.reopen", "plans.approve", "plans.decline", "plans.undo_move",
        "prices.reject", "quotas.give_up", "stops.end", "team.end_sessions", "tokens.revoke", "workspaces.restore",
    },
    "is of one's own things": {"versions.pin", "views.delete", "views.save"},
}  # fmt: skip


def test_a_command_that_changes_what_others_edit_says_on_which_state_it_was_made():
    """Whatever takes none of `STATES` stands above with its reason."""
    without = {name for name, command in COMMANDS.items() if not STATES & command.schema["properties"].keys()}
    exempt = sorted(name for names in WITHOUT_A_STATE.values() for name in names)
    assert exempt == sorted(without)
