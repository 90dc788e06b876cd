"""What is drawn once is drawn for the same eyes: neither other workspaces, nor other roles or remarks, get it."""

from dataclasses import replace
from datetime import date

from app.access import Role
from app.metrics.question import question
from app.ui.asking import Asked
from app.ui.drawings import Kept, drawn_once
from app.ui.markup import Markup
from app.ui.scope import Note, Scope
from tests.metrics.conftest import asking, desks, lake  # noqa: F401 - fixtures
from tests.metrics.small_lake import sent, viewer

DAY, NEXT = date(2026, 1, 1), date(2026, 1, 2)


def test_each_pair_of_eyes_has_a_drawing_of_its_own(asking, lake):  # noqa: F811 - fixtures
    lake.add("email_days", sent(DAY, delivered=1))
    found = asking().answer("emails_delivered", DAY, NEXT)
    scope = Scope(viewer(1), DAY, NEXT, None, {}, "day", None, "UTC", "USD")
    mine = Asked(found.table, found.metrics, found.by, 1, found.receipt, question("emails_delivered", DAY, NEXT), scope)
    of_others = [
        replace(mine, scope=replace(scope, viewer=viewer(1, 2))),
        replace(mine, scope=replace(scope, viewer=replace(viewer(1), roles=frozenset({Role.VIEWER})))),
        replace(mine, scope=replace(scope, notes=(Note("A remark", DAY, DAY),))),
        replace(mine, receipt=replace(mine.receipt, lake_version=mine.receipt.lake_version + 1)),
        replace(mine, question=question("emails_delivered", DAY, NEXT, where={"product": "mailer"})),
    ]
    made = []

    def drawn(asked, how="line"):
        def draw():
            made.append(asked)
            return Markup(str(len(made)))

        return drawn_once(asked, how, draw)

    assert [drawn(mine), *map(drawn, of_others)] == ["1", "2", "3", "4", "5", "6"]
    assert drawn(mine, "bars") == "7"
    assert [drawn(mine), *map(drawn, of_others)] == ["1", "2", "3", "4", "5", "6"]


def test_drawings_are_kept_up_to_so_many_letters_and_the_one_not_asked_for_longest_goes_first():
    kept = Kept(10)
    kept.put("a", Markup("aaaa"))
    kept.put("b", Markup("bbbb"))
    assert kept.get("a") == "aaaa"
    kept.put("c", Markup("cccc"))
    assert [kept.get(key) for key in "abc"] == ["aaaa", None, "cccc"]
    kept.put("c", Markup("ccccc"))
    assert [kept.get(key) for key in "ac"] == ["aaaa", "ccccc"]
