"""What only others have: every text of every workspace but one's own, and a way to find it in what a page sends."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from html import unescape
from urllib.parse import unquote_plus

from google.protobuf.text_format import MessageToString
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Node

_LONG_ENOUGH = 8
_WORD = re.compile(r"\w+")
# What comes in several workspaces, as kinds and models do, tells nothing of one of them; nor do times, numbers and
# single words. Plans are the company's, however few have them.
_THEIRS = """
    SELECT value FROM ({values}) AS every_text
    WHERE LENGTH(value) >= {least} AND value !~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}' AND value !~ '^([0-9., ]+|[a-z_]+)$'
    GROUP BY value HAVING COUNT(DISTINCT workspace_id) = 1 AND BOOL_AND(workspace_id NOT IN ({own}))
    EXCEPT SELECT CAST(id AS TEXT) FROM plans
"""
_COLUMNS = """
    SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns AS c
    JOIN pg_class AS r ON r.oid = TO_REGCLASS(QUOTE_IDENT(c.table_name))
    WHERE c.table_schema = 'public' AND r.relkind IN ('r', 'p') AND NOT r.relispartition
        AND c.column_name <> 'workspace_id' AND c.data_type IN ('text', 'character varying', 'uuid', 'jsonb')
        AND EXISTS (
            SELECT FROM information_schema.columns AS w
            WHERE w.table_schema = 'public' AND w.table_name = c.table_name AND w.column_name = 'workspace_id'
        )
"""
_STRINGS = "JSONB_PATH_QUERY({column}, 'strict $.** ? (@.type() == \"string\")') #>> '{{}}'"
# Whose rows bear another column: workspaces themselves, and people, who are of the workspaces that they are members of.
_OTHERS = [
    *(
        f"SELECT id AS workspace_id, CAST({column} AS TEXT) AS value FROM workspaces"
        for column in ("id", "name", "slug")
    ),
    *(
        f"SELECT m.workspace_id, CAST(u.{column} AS TEXT)"
        " FROM users AS u JOIN workspace_members AS m ON m.user_id = u.id"
        for column in ("id", "email", "name")
    ),
    # One's own contact may be called like a customer of others.
    "SELECT workspace_id, CONCAT_WS(' ', first_name, last_name) FROM contacts",
]


class Foreign:
    """Texts that are in one workspace alone, and not in any of these."""

    def __init__(self, rows, own: str) -> None:
        texts = list(_OTHERS)
        for table, column, kind in rows(_COLUMNS):
            value = _STRINGS.format(column=f'"{column}"') if kind == "jsonb" else f'CAST("{column}" AS TEXT)'
            texts.append(f'SELECT workspace_id, {value} FROM "{table}"')
        found = rows(_THEIRS.format(values=" UNION ALL ".join(texts), own=own, least=_LONG_ENOUGH))
        values = [(value, _WORD.findall(value)) for (value,) in found]
        often = Counter(word for _, words in values for word in words)
        # Under its rarest word: of most values it is looked no further.
        self._by_word: dict[str, list[str]] = defaultdict(list)
        for value, words in values:
            if words:
                self._by_word[min(words, key=often.__getitem__)].append(value)

    def __len__(self) -> int:
        return sum(map(len, self._by_word.values()))

    def found_in(self, sent: str) -> set[str]:
        """Those that stand in it as words of their own, however they were escaped."""
        plain = f"{sent}\n{unescape(sent)}\n{unquote_plus(sent)}"
        return {
            value
            for word in set(_WORD.findall(plain))
            for value in self._by_word.get(word, ())
            if value in plain and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", plain)
        }


def sent_for(page: AppTest) -> str:
    """Everything that goes to the browser for a page, shown or not: each element's own message."""
    return "\n".join(_messages(page._tree.children.values()))


def _messages(nodes: Iterable[Node]) -> Iterable[str]:
    for node in nodes:
        if getattr(node, "proto", None) is not None:
            yield MessageToString(node.proto, as_utf8=True).replace("\\'", "'").replace('\\"', '"')
        if isinstance(node, Block):
            yield from _messages(node.children.values())
