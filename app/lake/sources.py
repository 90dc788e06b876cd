"""Every table that the lake copies, by its name.

Codes stand for workspaces, campaigns, contacts and users: they take less room than keys and are counted faster.
What only a single row's page shows (prompts, addresses, free fields) stays in Postgres alone.
"""

from app.lake import dimensions, facts
from app.lake.source import Source

FACTS = {source.name: source for source in facts.FACTS}
# What facts belong to is copied before them: whatever a copied send belongs to is in the lake, wherever a pull ended.
SOURCES: dict[str, Source] = {source.name: source for source in dimensions.DIMENSIONS} | FACTS
