"""Who may change what of templates; what is refused in which words; what versions and the audit log keep of it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest

from app.access import NotPermittedError, Role
from app.commands import templates_components as components
from app.commands import templates_shelves as shelves
from app.commands import templates_states as states
from app.commands.stale import EditedMeanwhileError, StaleEditError
from app.commands.templates import Draft, create_template, edit_template, roll_back_template
from app.commands.templates_components import Terms
from app.commands.templates_sections import Section
from app.commands.templates_shelves import Label
from app.records.component_texts import component_version, component_versions
from db.errors import SightlineError
from db.tables.base import HOUSE_WORKSPACE
from tests.budgets.conftest import settle_in
from tests.db.rows import add, template, workspace

LINES = "<p>one</p>\n<p>two</p>\n<p>three</p>\n<p>four</p>\n"
DRAFT = Draft("Welcome", "Hello", html_content=LINES, sections=(Section("hero", "Hi"), Section("footer", "Bye")))


@pytest.fixture
def place(database):
    return settle_in(database)


@pytest.fixture
def ada(place):
    return place.person(Role.ADMIN)


@pytest.fixture
def made(place, ada):
    """A template of the workspace, at its first revision."""
    return create_template(place.database.rw, ada, DRAFT, product="email_studio", workspace_slug="acme")


def state(place, key, columns="status, is_featured, category, deleted_at IS NOT NULL, current_version, revision"):
    [row] = place.ask(f"SELECT {columns} FROM templates WHERE id = :key", key=key)
    return tuple(row)


def audit(place, table, key=None):
    """What the log says was done, oldest first."""
    return [
        (row.actor, row.action, row.reason)
        for row in place.ask(
            "SELECT actor, action, reason FROM audit_log WHERE table_name = :table"
            " AND (CAST(:key AS TEXT) IS NULL OR row_key = CAST(:key AS TEXT)) ORDER BY position",
            table=table, key=key,
        )
    ]  # fmt: skip


def test_an_edit_keeps_what_was_there_as_one_version_and_one_audit_row(place, ada, made):
    changed = replace(DRAFT, subject="Hallo", sections=(Section("hero", "Ho"), Section("footer", "Bye"), Section("ps")))
    assert edit_template(place.database.rw, ada, made, changed, revision=1, reason="German.") == 2
    rows = place.ask("SELECT version, subject, sections FROM template_versions WHERE template_id = :key", key=made)
    assert [(row.version, row.subject, [one["html_content"] for one in row.sections]) for row in rows] == [
        (1, "Hello", ["Hi", "Bye"])
    ]
    assert audit(place, "templates", made) == [("Ada", "insert", None), ("Ada", "update", "German.")]
    assert audit(place, "template_sections") == [("Ada", "insert", None)] * 2 + [
        ("Ada", "update", "German."), ("Ada", "insert", "German.")
    ]  # fmt: skip


def test_going_back_makes_a_new_version_and_loses_none(place, ada, made):
    rw = place.database.rw
    edit_template(rw, ada, made, replace(DRAFT, subject="2", sections=()), revision=1)
    with pytest.raises(SightlineError, match="for a reason"):
        roll_back_template(rw, ada, made, 1, revision=2, reason=" ")
    with pytest.raises(SightlineError, match="no version 7"):
        roll_back_template(rw, ada, made, 7, revision=2, reason="Wrong.")
    assert roll_back_template(rw, ada, made, 1, revision=2, reason="It was better.") == 3
    rows = place.ask("SELECT version, reason, subject FROM template_versions WHERE template_id = :key ORDER BY version",
        key=made)  # fmt: skip
    assert [tuple(row) for row in rows] == [(1, "snapshot", "Hello"), (2, "roll_back", "2")]
    assert state(place, made, "subject, current_version") == ("Hello", 3)
    kinds = place.ask("SELECT kind FROM template_sections WHERE template_id = :key ORDER BY position", key=made)
    assert [row.kind for row in kinds] == ["hero", "footer"]
    with pytest.raises(SightlineError, match="says what version 1 said"):
        roll_back_template(rw, ada, made, 1, revision=3, reason="Again.")


def test_two_edits_that_lie_apart_can_be_saved_together(place, ada, made):
    rw, bob = place.database.rw, place.person(Role.ADMIN, name="Bob")
    theirs = replace(DRAFT, html_content=LINES.replace("one", "1"), sections=(Section("hero", "Ho"), DRAFT.sections[1]))
    edit_template(rw, bob, made, theirs, revision=1)
    ours = replace(DRAFT, subject="Hallo", html_content=LINES.replace("four", "4"),
        sections=(*DRAFT.sections, Section("ps")))  # fmt: skip
    with pytest.raises(EditedMeanwhileError, match="can be saved together") as refused:
        edit_template(rw, ada, made, ours, revision=1, made_on=DRAFT)
    both = Draft(**refused.value.merged.together)
    assert both == replace(
        ours, html_content=LINES.replace("one", "1").replace("four", "4"), sections=(*theirs.sections, Section("ps"))
    )
    assert state(place, made, "subject") == ("Hello",)
    edit_template(rw, ada, made, both, revision=refused.value.revision, made_on=Draft(**refused.value.now))
    assert state(place, made, "subject, html_content") == (both.subject, both.html_content)


def test_two_edits_of_one_line_collide(place, ada, made):
    rw = place.database.rw
    edit_template(rw, ada, made, replace(DRAFT, html_content=LINES.replace("two", "2")), revision=1)
    with pytest.raises(EditedMeanwhileError, match="Look at both") as refused:
        edit_template(
            rw, ada, made, replace(DRAFT, html_content=LINES.replace("two", "zwei")), revision=1, made_on=DRAFT
        )
    assert refused.value.merged.colliding == ("html_content",)


def test_a_use_that_was_counted_since_is_in_nobodys_way(place, ada, made):
    place.change("UPDATE templates SET usage_count = 9")
    edit_template(place.database.rw, ada, made, replace(DRAFT, subject="Hallo"), revision=1, made_on=DRAFT)
    assert state(place, made, "subject, usage_count") == ("Hallo", 9)


def test_of_two_who_save_at_once_one_is_told(place, ada, made):
    def save(subject):
        try:
            edit_template(place.database.rw, ada, made, replace(DRAFT, subject=subject), revision=1)
        except EditedMeanwhileError:
            return "stale"
        return subject

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(save, ("one", "two")))
    [saved] = [one for one in answers if one != "stale"]
    assert answers.count("stale") == 1
    assert state(place, made, "subject") == (saved,)


WRONG = {
    "has no name": {"name": " \n "},
    "The name has 121 characters": {"name": "x" * 121},
    "The subject has 256 characters": {"subject": "x" * 256},
    "The html content has 1,000,001 characters": {"html_content": "x" * 1_000_001},
    "0 is no width": {"width": 0, "height": 5},
    "Its size has one side": {"width": 5},
    "It has 101 sections": {"sections": (Section("x"),) * 101},
    "Section 1 has no kind": {"sections": (Section(" "),)},
}


@pytest.mark.parametrize("told", WRONG)
def test_what_can_not_be_kept_is_refused_in_a_sentence(place, ada, made, told):
    with pytest.raises(SightlineError, match=told):
        edit_template(place.database.rw, ada, made, replace(DRAFT, **WRONG[told]), revision=1)
    assert state(place, made, "revision") == (1,)


def test_texts_are_kept_as_one_line_or_with_one_kind_of_line_end(place, ada, made):
    edit_template(
        place.database.rw, ada, made, replace(DRAFT, subject="a\n\x07b", html_content="a\r\nb\rc\0"), revision=1
    )
    assert state(place, made, "subject, html_content") == ("a b", "a\nb\nc")


def test_a_template_is_published_featured_retired_and_comes_back(place, ada, made):
    rw = place.database.rw
    with pytest.raises(SightlineError, match="only what is published can be featured"):
        states.feature_templates(rw, ada, {made: 1})
    states.publish_templates(rw, ada, {made: 1})
    states.feature_templates(rw, ada, {made: 2})
    assert state(place, made)[:2] == ("published", True)
    with pytest.raises(SightlineError, match="for a reason"):
        states.retire_templates(rw, ada, {made: 3}, reason="")
    states.retire_templates(rw, ada, {made: 3}, reason="Old.")
    assert state(place, made)[:2] == ("retired", False)
    with pytest.raises(SightlineError, match="re-instate it first"):
        states.publish_templates(rw, ada, {made: 4})
    states.reinstate_templates(rw, ada, {made: 4})
    assert state(place, made)[:2] == ("published", False)
    states.unpublish_templates(rw, ada, {made: 5}, reason="A mistake.")
    with pytest.raises(SightlineError, match="it is not retired"):
        states.reinstate_templates(rw, ada, {made: 6})
    assert state(place, made)[0] == "draft"
    assert [why for _, _, why in audit(place, "templates", made)] == [None, None, None, "Old.", None, "A mistake."]
    [[kept]] = place.ask("SELECT COUNT(*) FROM template_versions WHERE template_id = :key", key=made)
    assert kept == 1


def test_a_deleted_template_keeps_its_versions_and_is_restored_as_it_was(place, ada, made):
    rw = place.database.rw
    edit_template(rw, ada, made, replace(DRAFT, subject="2"), revision=1)
    states.delete_templates(rw, ada, {made: 2}, reason="Nobody uses it.")
    with pytest.raises(SightlineError, match="not there any more"):
        edit_template(rw, ada, made, DRAFT, revision=3)
    with pytest.raises(SightlineError, match="deleted already"):
        states.delete_templates(rw, ada, {made: 3}, reason="Again.")
    states.restore_templates(rw, ada, {made: 3})
    assert state(place, made) == ("draft", False, None, False, 2, 4)
    with pytest.raises(SightlineError, match="not deleted"):
        states.restore_templates(rw, ada, {made: 4})


def test_what_says_nothing_is_not_published(place, ada):
    rw = place.database.rw
    for draft, why in ((Draft("A", html_content="x"), "it has no subject"), (Draft("B", "Hello"), "it says nothing")):
        key = create_template(rw, ada, draft, product="mailer", workspace_slug="acme")
        with pytest.raises(SightlineError, match=why):
            states.publish_templates(rw, ada, {key: 1})
    ad = create_template(rw, ada, Draft("C"), product="craft_ads", kind="ad", workspace_slug="acme")
    states.publish_templates(rw, ada, {ad: 1})


def test_many_are_changed_all_or_none_and_one_undo_takes_it_back_for_all(place, ada):
    rw = place.database.rw
    keys = [
        create_template(rw, ada, replace(DRAFT, name=name), product="mailer", workspace_slug="acme") for name in "ABC"
    ]
    picked = dict.fromkeys(keys, 1)
    states.publish_templates(rw, ada, {keys[0]: 1})
    with pytest.raises(StaleEditError, match="Somebody changed “A”"):
        states.retire_templates(rw, ada, picked, reason="Old.")
    assert [state(place, key)[0] for key in keys] == ["published", "draft", "draft"]
    done = states.retire_templates(rw, ada, picked | {keys[0]: 2}, reason="Old.")
    assert [state(place, key)[0] for key in keys] == ["retired"] * 3
    states.take_back(rw, ada, done)
    assert [state(place, key)[0] for key in keys] == ["published", "draft", "draft"]
    with pytest.raises(StaleEditError, match="Nothing was changed"):
        states.take_back(rw, ada, done)
    states.categorise_templates(rw, ada, {keys[1]: 3, keys[2]: 3}, " Spring ")
    with pytest.raises(SightlineError, match="it is so already"):
        states.categorise_templates(rw, ada, {keys[1]: 4}, "Spring")
    assert [state(place, key)[2] for key in keys] == [None, "Spring", "Spring"]
    for wrong in ({}, {uuid4(): 1 for _ in range(501)}):
        with pytest.raises(SightlineError, match="can't be changed at once"):
            states.unfeature_templates(rw, ada, wrong)


def test_an_undo_takes_back_the_last_change_alone_and_nothing_where_none_was_made(place, ada):
    """Of two one is featured: to feature both changes the other alone, and taking that back leaves the first."""
    rw = place.database.rw
    first, second, third = (
        create_template(rw, ada, replace(DRAFT, name=name), product="mailer", workspace_slug="acme") for name in "ABC"
    )
    published = states.publish_templates(rw, ada, {first: 1, second: 1})
    both = published | states.feature_templates(rw, ada, {first: published[first]})
    featured = states.feature_templates(rw, ada, both)
    assert featured.keys() == {second}
    states.take_back(rw, ada, featured)
    assert [state(place, key)[1] for key in (first, second)] == [True, False]
    gone = states.delete_templates(rw, ada, {first: both[first]}, reason="A mistake.")
    back = states.take_back(rw, ada, gone)
    assert state(place, first)[:4] == ("published", True, None, False)
    assert state(place, first)[3:] != state(place, second)[3:]
    # To take that back again is to delete it again.
    states.take_back(rw, ada, back)
    assert state(place, first)[3]
    with pytest.raises(SightlineError, match="nothing was changed of it since it was made"):
        states.take_back(rw, ada, {third: 1})
    edit_template(rw, ada, third, replace(DRAFT, subject="Hallo"), revision=1)
    with pytest.raises(SightlineError, match="what was changed last is what it says"):
        states.take_back(rw, ada, {third: 2})
    assert audit(place, "templates", first)[-1] == ("Ada", "update", "Taken back.")


def test_shelves_are_made_renamed_ordered_and_retired(place, ada, made):
    rw = place.database.rw
    first, second = (shelves.create_shelf(rw, ada, Label(name), workspace_slug="acme") for name in ("Spring", "Sale"))
    with pytest.raises(SightlineError, match="a shelf “spring” already"):
        shelves.create_shelf(rw, ada, Label("spring"), workspace_slug="acme")
    assert shelves.rename_shelf(rw, ada, first, Label("May", "In bloom"), revision=1) == 2
    with pytest.raises(EditedMeanwhileError, match="can be saved together"):
        shelves.rename_shelf(rw, ada, first, Label("Mai"), revision=1, made_on=Label("May"))
    assert shelves.order_shelves(rw, ada, [second, first], was=[first, second]) == (first, second)
    names = place.ask("SELECT name FROM categories WHERE workspace_id = :w ORDER BY display_order", w=place.workspace)
    assert [row.name for row in names] == ["Sale", "May"]
    for some in ([first], [first, first, second]):
        with pytest.raises(SightlineError, match="These are not all of the shelves"):
            shelves.order_shelves(rw, ada, some, was=[second, first])
    assert shelves.put_on_shelves(rw, ada, made, [first, second], was=[]) == ()
    assert set(shelves.put_on_shelves(rw, ada, made, [second], was=[second, first])) == {first, second}
    revision = place.ask("SELECT revision FROM categories WHERE id = :key", key=second)[0].revision
    shelves.retire_shelf(rw, ada, second, revision=revision, reason="Over.")
    with pytest.raises(StaleEditError):
        shelves.reinstate_shelf(rw, ada, second, revision=revision)
    shelves.put_on_shelves(rw, ada, made, [], was=[second])
    with pytest.raises(SightlineError, match="“Sale” is retired"):
        shelves.put_on_shelves(rw, ada, made, [second], was=[])
    shelves.reinstate_shelf(rw, ada, second, revision=revision + 1)
    ads = shelves.create_shelf(rw, ada, Label("Ads"), kind="ad")
    with pytest.raises(SightlineError, match="a shelf of ad templates"):
        shelves.put_on_shelves(rw, ada, made, [ads], was=[])
    assert ("Ada", "update", "Over.") in audit(place, "categories", second)
    assert [action for _, action, _ in audit(place, "template_categories")] == ["insert", "insert", "delete", "delete"]


def test_who_orders_shelves_as_they_are_no_more_is_told_and_offered_both_orders_together(place, ada):
    """Somebody moved the last to the front; two others change places: both can be, or nothing is done."""
    rw = place.database.rw
    a, b, c, d, e, f = (shelves.create_shelf(rw, ada, Label(name), workspace_slug="acme") for name in "abcdef")
    shelves.order_shelves(rw, ada, [f, a, b, c, d, e], was=[a, b, c, d, e, f])
    with pytest.raises(EditedMeanwhileError, match=r"It now says: shelves f, a, b.*can be saved together") as stale:
        shelves.order_shelves(rw, ada, [a, b, d, c, e, f], was=[a, b, c, d, e, f])
    now, both = ([one.id for one in told["shelves"]] for told in (stale.value.now, stale.value.merged.together))
    assert both == [f, a, b, d, c, e]
    assert shelves.order_shelves(rw, ada, both, was=now) == (f, a, b, c, d, e)
    with pytest.raises(EditedMeanwhileError, match="Look at both") as stale:
        shelves.order_shelves(rw, ada, [f, a, c, b, d, e], was=now)
    assert not stale.value.fits


def test_who_puts_a_template_on_shelves_keeps_what_somebody_else_did_meanwhile(place, ada, made):
    rw = place.database.rw
    a, b, c = (shelves.create_shelf(rw, ada, Label(name), workspace_slug="acme") for name in "abc")
    shelves.put_on_shelves(rw, ada, made, [a, b], was=[])
    shelves.put_on_shelves(rw, ada, made, [b], was=[a, b])
    with pytest.raises(EditedMeanwhileError, match="Somebody changed the shelves of this template") as stale:
        shelves.put_on_shelves(rw, ada, made, [a, b, c], was=[a, b])
    now, both = stale.value.now["shelves"], stale.value.merged.together["shelves"]
    assert ([one.name for one in now], [one.name for one in both]) == (["b"], ["b", "c"])
    assert shelves.put_on_shelves(rw, ada, made, [one.id for one in both], was=[one.id for one in now]) == (b,)
    assert {row.category_id for row in place.ask("SELECT category_id FROM template_categories")} == {b, c}


@pytest.fixture
def component(place):
    with place.database.setup.begin() as connection:
        return add(connection, "component_library", workspace_id=place.workspace, user_id=place.customer, name="Form",
            component_type="form", code="<form>\na\nb\nc\n</form>\n").id  # fmt: skip


def test_a_component_is_edited_offered_sold_and_withdrawn(place, ada, component):
    rw = place.database.rw
    terms = Terms("Form", code="<form>\na\nb\nc\n</form>\n")
    assert components.edit_component(rw, ada, component, replace(terms, tags=("a", "a", " b ")), revision=1) == 2
    with pytest.raises(SightlineError, match="Of “Form” nothing can be taken back"):
        components.offer_as_before(rw, ada, component, revision=2)
    with pytest.raises(EditedMeanwhileError, match="can be saved together"):
        components.edit_component(rw, ada, component, replace(terms, category="Forms"), revision=1, made_on=terms)
    with pytest.raises(SightlineError, match="Only what is in the marketplace has a price"):
        components.edit_component(rw, ada, component, replace(terms, price=Decimal(5)), revision=2)
    components.publish_component(rw, ada, component, is_for_sale=True, price=Decimal("9.50"), revision=2)
    where = "SELECT is_public, is_marketplace_item, price, tags FROM component_library"
    assert tuple(place.ask(where)[0]) == (True, True, Decimal("9.50"), ["a", "b"])
    with pytest.raises(SightlineError, match="for a reason"):
        components.retire_component(rw, ada, component, revision=3, reason="")
    withdrawn = components.retire_component(rw, ada, component, revision=3, reason="Broken.")
    assert tuple(place.ask(where)[0])[:2] == (False, False)
    with pytest.raises(SightlineError, match="is offered so already"):
        components.retire_component(rw, ada, component, revision=withdrawn, reason="Broken.")
    assert components.offer_as_before(rw, ada, component, revision=withdrawn) == 5
    assert tuple(place.ask(where)[0])[:3] == (True, True, Decimal("9.50"))
    with pytest.raises(EditedMeanwhileError):
        components.offer_as_before(rw, ada, component, revision=withdrawn)
    cheaper = components.publish_component(rw, ada, component, is_for_sale=True, price=Decimal("0.10"), revision=5)
    components.offer_as_before(rw, ada, component, revision=cheaper)
    assert tuple(place.ask(where)[0])[2] == Decimal("9.50")
    for wrong in ({"price": Decimal("NaN")}, {"price": Decimal("0.001")}, {"name": ""}, {"tags": ("x" * 41,)}):
        with pytest.raises(SightlineError):
            components.edit_component(rw, ada, component, replace(terms, **wrong), revision=7)
    assert ("Ada", "update", "Broken.") in audit(place, "component_library", component)


def test_a_component_goes_back_to_what_it_said_before_any_of_its_changes(place, ada, component):
    """Each change of what it says makes a version, those by products too; offering it makes none."""
    rw = place.database.rw
    first = Terms("Form", code="<form>\na\nb\nc\n</form>\n")
    components.edit_component(
        rw, ada, component, replace(first, code="<p>2</p>", tags=("new",)), revision=1, reason="2."
    )
    components.publish_component(rw, ada, component, is_for_sale=True, price=Decimal("9.50"), revision=2)
    place.change("UPDATE component_library SET name = 'Form of a product'")
    versions = component_versions(place.database.ro, ada, component)
    assert [(one.version, one.changed_by, one.reason, one.name, one.tags, one.html) for one in versions] == [
        (2, None, None, "Form", ("new",), "<p>2</p>"), (1, "Ada", "2.", "Form", (), first.code)
    ]  # fmt: skip
    assert component_version(place.database.ro, ada, component, 1) == versions[1]
    with pytest.raises(SightlineError, match="for a reason"):
        components.roll_back_component(rw, ada, component, 1, revision=4, reason=" ")
    with pytest.raises(SightlineError, match="no version 3"):
        components.roll_back_component(rw, ada, component, 3, revision=4, reason="Wrong.")
    with pytest.raises(EditedMeanwhileError, match="It now says: name Form of a product"):
        components.roll_back_component(rw, ada, component, 1, revision=3, reason="It was better.")
    assert components.roll_back_component(rw, ada, component, 1, revision=4, reason="It was better.") == 5
    told = place.ask("SELECT name, code, tags, is_marketplace_item, price FROM component_library")
    assert tuple(told[0]) == ("Form", first.code, [], True, Decimal("9.50"))
    assert component_version(place.database.ro, ada, component, 3).name == "Form of a product"
    with pytest.raises(SightlineError, match="says what version 1 said"):
        components.roll_back_component(rw, ada, component, 1, revision=5, reason="Again.")
    stranger = place.person(Role.ADMIN, uuid4(), name="Eve")
    assert component_version(place.database.ro, stranger, component, 1) is None


def every_command(rw, by, key, shelf, component):
    """Each command, as somebody may try it."""
    one = {key: 1}
    yield partial(create_template, rw, by, DRAFT, product="mailer", workspace_slug="acme")
    yield partial(edit_template, rw, by, key, DRAFT, revision=1)
    yield partial(roll_back_template, rw, by, key, 1, revision=1, reason="x")
    for change in (states.publish_templates, states.feature_templates, states.unfeature_templates,
            states.reinstate_templates, states.restore_templates):  # fmt: skip
        yield partial(change, rw, by, one)
    for change in (states.unpublish_templates, states.retire_templates, states.delete_templates):
        yield partial(change, rw, by, one, reason="x")
    yield partial(states.categorise_templates, rw, by, one, "x")
    yield partial(states.take_back, rw, by, one)
    yield partial(shelves.create_shelf, rw, by, Label("x"), workspace_slug="acme")
    yield partial(shelves.rename_shelf, rw, by, shelf, Label("x"), revision=1)
    yield partial(shelves.order_shelves, rw, by, [shelf], was=[shelf])
    yield partial(shelves.retire_shelf, rw, by, shelf, revision=1, reason="x")
    yield partial(shelves.reinstate_shelf, rw, by, shelf, revision=1)
    yield partial(shelves.put_on_shelves, rw, by, key, [shelf], was=[])
    yield partial(components.edit_component, rw, by, component, Terms("x"), revision=1)
    yield partial(components.roll_back_component, rw, by, component, 1, revision=1, reason="x")
    yield partial(components.publish_component, rw, by, component, is_for_sale=False, revision=1)
    yield partial(components.retire_component, rw, by, component, revision=1, reason="x")
    yield partial(components.offer_as_before, rw, by, component, revision=1)


def test_nobody_but_admins_changes_anything(place, ada, made, component):
    rw = place.database.rw
    shelf = shelves.create_shelf(rw, ada, Label("Spring"), workspace_slug="acme")
    for role in (Role.VIEWER, Role.FINANCE):
        person = place.person(role, name=role)
        for change in every_command(rw, person, made, shelf, component):
            with pytest.raises(NotPermittedError, match=r"templates\.manage"):
                change()
    assert state(place, made)[-1] == 1


def test_who_is_limited_finds_nothing_of_others_and_changes_nothing_of_the_library(place, ada, made, component):
    rw = place.database.rw
    house = create_template(rw, ada, DRAFT, product="email_studio")
    shelf = shelves.create_shelf(rw, ada, Label("Spring"), workspace_slug="acme")
    of_house = shelves.create_shelf(rw, ada, Label("All"))
    with place.database.setup.begin() as connection:
        elsewhere = workspace(connection, slug="other")
        own = template(connection, elsewhere.id, subject="x").id
    limited = place.person(Role.ADMIN, elsewhere.id, name="Lim")
    for change in every_command(rw, limited, made, shelf, component):
        with pytest.raises(SightlineError, match=r"not there any more|No workspace that you see|don't stand together"):
            change()
    for change in (
        partial(edit_template, rw, limited, house, DRAFT, revision=1),
        partial(states.publish_templates, rw, limited, {house: 1}),
        partial(states.publish_templates, rw, limited, {own: 1, house: 1}),
        partial(create_template, rw, limited, DRAFT, product="mailer"),
        partial(shelves.create_shelf, rw, limited, Label("x")),
        partial(shelves.rename_shelf, rw, limited, of_house, Label("x"), revision=1),
        partial(shelves.put_on_shelves, rw, limited, house, [of_house], was=[]),
    ):
        with pytest.raises(NotPermittedError, match="belongs to the library"):
            change()
    assert shelves.put_on_shelves(rw, limited, own, [of_house], was=[]) == ()
    states.publish_templates(rw, limited, {own: 1})
    assert state(place, house)[-1] == state(place, made)[-1] == 1
    assert place.ask("SELECT workspace_id FROM templates WHERE id = :key", key=house)[0].workspace_id == HOUSE_WORKSPACE
