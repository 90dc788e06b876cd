"""All products at a glance: headline figures, their course, and each product beside the others."""

from app import ui
from app.access import Permission

HEADLINES = ("emails_delivered", "open_rate", "views", "conversions", "spend", "roas", "generations", "ai_cost")
PER_PRODUCT = ("emails_delivered", "views", "conversions", "spend", "generations")

viewer = ui.person_here(Permission.OVERVIEW_READ)
scope = ui.top("Overview", viewer)
ui.tiles(HEADLINES, scope)
ui.line(ui.ask("conversions", scope, grain=scope.grain), title="Conversions")
ui.table(ui.ask(PER_PRODUCT, scope, by="product"), name="products", title="Products")
ui.area(ui.ask("generations", scope.uncompared, by="product", grain=scope.grain), title="AI generations by product")
