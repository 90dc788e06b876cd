"""What is wrong with a template before anybody is sent it: size, words, links, pictures, merge fields, shape."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html.parser import HTMLParser

# From here on Gmail shows only the beginning of a mail.
CLIPPED_BYTES = 102 * 1024
LONGEST_SUBJECT, SHORTEST_SUBJECT = 60, 10
LEAST_TEXT_SHARE = 0.1
MOST_CAPITALS = 0.5
AD_SIZES: Mapping[tuple[int, int], str] = {
    (1080, 1080): "square", (1200, 628): "link", (1080, 1920): "story", (1080, 1350): "portrait",
    (300, 250): "medium rectangle", (728, 90): "leaderboard", (160, 600): "skyscraper", (320, 50): "mobile banner",
    (1920, 1080): "landscape", (1200, 1200): "large square",
}  # fmt: skip
AD_FORMATS = ("jpg", "jpeg", "png", "gif", "webp", "mp4")
# Words that filters of mail weigh; a single one says little, several together do.
SPAM_WORDS = (
    "act now", "100% free", "click here", "buy now", "cash bonus", "cheap", "congratulations", "earn money",
    "extra income", "free money", "guarantee", "limited time", "lose weight", "lowest price", "make money", "no risk",
    "once in a lifetime", "order now", "risk-free", "this is not spam", "urgent", "winner", "you have been selected",
)  # fmt: skip
MANY_SPAM_WORDS = 3
_FIELD = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_FIELD_NAME = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_.]*(\s*\|\s*[^{}|]+)?\s*")
_UNSUBSCRIBE = re.compile(r"unsubscribe|opt[-_ ]?out|abmelden|abbestellen|preferences", re.IGNORECASE)
_UNSEEN = {"script", "style", "head", "title"}


class Weight(StrEnum):
    """How much a finding matters."""

    BAD = "mend this"
    WARNING = "look at this"
    GOOD = "fine"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and why that matters or what to do."""

    about: str
    weight: Weight
    told: str


@dataclass(frozen=True)
class Checked:
    """What of a template is looked at; the HTML with that of its sections."""

    kind: str
    subject: str | None
    html: str
    text: str | None
    width: int | None = None
    height: int | None = None
    format: str | None = None


def check(one: Checked) -> tuple[Finding, ...]:
    """What is to be mended first, then what to look at, then what is fine."""
    found = list(_of_ad(one) if one.kind == "ad" else _of_email(one))
    order = list(Weight)
    return tuple(sorted(found, key=lambda finding: order.index(finding.weight)))


def _of_ad(one: Checked) -> Iterator[Finding]:
    if one.width is None or one.height is None:
        yield Finding("Size", Weight.BAD, "No width and height are set: nobody knows where it fits.")
    elif (one.width, one.height) in AD_SIZES:
        told = f"{one.width} × {one.height} is a common size ({AD_SIZES[one.width, one.height]})."
        yield Finding("Size", Weight.GOOD, told)
    else:
        yield Finding("Size", Weight.WARNING, f"{one.width} × {one.height} is no common size of ads.")
    known = (one.format or "").lower() in AD_FORMATS
    yield Finding(
        "Format",
        Weight.GOOD if known else Weight.BAD,
        f"{one.format} is taken by the platforms."
        if known
        else f"{one.format or 'No format'}: platforms take {', '.join(AD_FORMATS)}.",
    )
    yield from _fields(one)


def _of_email(one: Checked) -> Iterator[Finding]:
    seen = _Reader(one.html)
    yield _subject(one.subject or "")
    yield _size(one.html)
    yield _spam(" ".join((one.subject or "", seen.text, one.text or "")))
    yield _unsubscribe(one, seen)
    yield _pictures(seen)
    yield _share(one, seen)
    yield _plain(one)
    yield from _fields(one)


def _subject(subject: str) -> Finding:
    capitals = [sign for sign in subject if sign.isupper()]
    letters = [sign for sign in subject if sign.isalpha()]
    if not subject:
        return Finding("Subject", Weight.BAD, "There is none.")
    if len(subject) > LONGEST_SUBJECT:
        told = f"{len(subject)} characters: telephones show about {LONGEST_SUBJECT} at the most."
        return Finding("Subject", Weight.WARNING, told)
    if len(subject) < SHORTEST_SUBJECT:
        return Finding("Subject", Weight.WARNING, f"{len(subject)} characters say little.")
    if len(capitals) > MOST_CAPITALS * len(letters) or "!!" in subject:
        return Finding("Subject", Weight.WARNING, "It shouts: capitals and exclamation marks are weighed by filters.")
    return Finding("Subject", Weight.GOOD, f"{len(subject)} characters.")


def _size(html: str) -> Finding:
    size = len(html.encode())
    told = f"{size / 1024:,.1f} KB of HTML"
    if size > CLIPPED_BYTES:
        return Finding("Size", Weight.BAD, f"{told}: Gmail clips what is beyond 102 KB, the way to unsubscribe too.")
    if size > 0.8 * CLIPPED_BYTES:
        return Finding("Size", Weight.WARNING, f"{told}: near the 102 KB at which Gmail clips.")
    return Finding("Size", Weight.GOOD, f"{told}.")


def _spam(text: str) -> Finding:
    there = " ".join(text.lower().split())
    found = [word for word in SPAM_WORDS if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", there)]
    if not found:
        return Finding("Spam words", Weight.GOOD, "None of those that filters weigh.")
    told = f"{', '.join(found)}: filters weigh such words"
    many = len(found) >= MANY_SPAM_WORDS
    return Finding("Spam words", Weight.BAD if many else Weight.WARNING, f"{told}{', and these are many' * many}.")


def _unsubscribe(one: Checked, seen: "_Reader") -> Finding:
    places = [f"{address} {text}" for address, text in seen.links]
    if any(_UNSUBSCRIBE.search(place) for place in places) or re.search(r"\{\{[^}]*unsubscribe", one.html):
        return Finding("Unsubscribe link", Weight.GOOD, "There is one.")
    return Finding("Unsubscribe link", Weight.BAD, "None is found: the law of most countries asks for one.")


def _pictures(seen: "_Reader") -> Finding:
    if not seen.pictures:
        return Finding("Pictures", Weight.GOOD, "There are none.")
    without = sum(alt is None for alt in seen.pictures)
    if without:
        told = f"{without} of {len(seen.pictures)} have no alternative text: many readers see that alone."
        return Finding("Pictures", Weight.WARNING, told)
    return Finding("Pictures", Weight.GOOD, f"All {len(seen.pictures)} have an alternative text.")


def _share(one: Checked, seen: "_Reader") -> Finding:
    if not one.html:
        return Finding("Text in HTML", Weight.WARNING, "There is no HTML.")
    share = len(seen.text) / len(one.html)
    told = f"{share:.0%} of the HTML is text to read"
    if share < LEAST_TEXT_SHARE:
        return Finding("Text in HTML", Weight.WARNING, f"{told}: filters take little text around much markup for spam.")
    return Finding("Text in HTML", Weight.GOOD, f"{told}.")


def _plain(one: Checked) -> Finding:
    if (one.text or "").strip():
        return Finding("Plain text", Weight.GOOD, "There is one.")
    return Finding("Plain text", Weight.WARNING, "There is none: some readers and all filters look at it.")


def _fields(one: Checked) -> Iterator[Finding]:
    """Merge fields like {{first_name}}: what is no name, or is not closed, is sent as it stands."""
    texts = (one.subject or "", one.html, one.text or "")
    found = [name for text in texts for name in _FIELD.findall(text)]
    broken = [name for name in found if not _FIELD_NAME.fullmatch(name)]
    open_ones = sum(abs(text.count("{{") - text.count("}}")) for text in texts)
    if broken or open_ones:
        told = [f"“{{{{{' '.join(name.split())[:40]}}}}}” is no field" for name in broken[:3]]
        told += [f"{open_ones} {'is' if open_ones == 1 else 'are'} not closed"] if open_ones else []
        yield Finding("Merge fields", Weight.BAD, f"{'; '.join(told)}: it would be sent as it stands.")
    else:
        names = sorted({name.partition("|")[0].strip() for name in found})
        yield Finding("Merge fields", Weight.GOOD, f"{', '.join(names)}." if names else "There are none.")


class _Reader(HTMLParser):
    """What a reader sees of HTML, and where its links and pictures are."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, str]] = []
        self.pictures: list[str | None] = []
        self._texts: list[str] = []
        self._unseen: list[str] = []
        self._link: str | None = None
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag == "body":
            # Whatever of the head was not closed ends here.
            self._unseen.clear()
        elif tag == "a":
            self._link = given.get("href") or ""
            self.links.append((self._link, ""))
        elif tag == "img":
            self.pictures.append(given.get("alt"))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            self._unseen.remove(tag)
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        self._texts.append(data)
        if self._link is not None:
            address, text = self.links[-1]
            self.links[-1] = (address, text + data)
