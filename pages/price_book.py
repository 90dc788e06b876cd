"""The price book: what models cost when, what is proposed for it, and calls that it does not fit."""

from app import ui
from app.access import Permission
from app.ui.price_checks import side_by_side, unpriced
from app.ui.price_choice import proposals
from app.ui.price_list import book, past, price_key

VIEWS = ("Prices", PROPOSALS := "Proposals", UNPRICED := "Without a price", SAID := "Source and book")

viewer = ui.person_here(Permission.AI_COST_READ)
scope = ui.top("Price book", viewer, own=("provider", "model"))
ui.tiles(("ai_cost", "unpriced_generations", "reported_cost"), scope)
key = price_key()
if key:
    past(scope, key)

view = ui.one_of("show", VIEWS)

if view == PROPOSALS:
    proposals(scope)
elif view == UNPRICED:
    unpriced(scope)
elif view == SAID:
    side_by_side(scope)
else:
    book(scope)
