"""What templates and components said and say, part by part: two of them are held beside each other."""

from collections.abc import Iterator, Sequence

from app.commands.templates import Draft
from app.commands.templates_sections import Section, named
from app.commands.texts import plain
from app.records.component_texts import SAID, ComponentText, ComponentVersion
from app.records.template_texts import Text, VersionText

# What the fields of a template are called.
NAMES = {
    "name": "Name",
    "subject": "Subject",
    "preheader": "Preheader",
    "html_content": "HTML",
    "text_content": "Plain text",
    "sections": "Sections",
    "description": "Description",
    "category": "Category",
    "industry": "Industry",
    "style": "Style",
    "campaign_type": "Campaign type",
    "width": "Width",
    "height": "Height",
    "format": "Format",
}
_TEXTS = ("subject", "preheader", "html_content", "text_content")

# A title, and the text before and after.
Part = tuple[str, str, str]


def draft_of(one: Text | VersionText) -> Draft:
    """What a template says, as an edit of it begins."""
    own = {name: getattr(one, name) for name in Draft.__dataclass_fields__ if name != "sections" and hasattr(one, name)}
    sections = tuple(Section.read(told) for told in one.sections)
    return Draft(**({"name": ""} | own), sections=sections)


def parts_of(old: Draft, new: Draft) -> Iterator[Part]:
    """Whatever versions keep. Sections by kind, and which of that kind; their order is a part of its own."""
    for name in _TEXTS:
        yield NAMES[name], getattr(old, name) or "", getattr(new, name) or ""
    before, after = named(old.sections), named(new.sections)
    yield "Order of sections", "\n".join(before), "\n".join(after)
    for name in dict.fromkeys((*before, *after)):
        yield f"Section {name}", _told(before.get(name)), _told(after.get(name))


def component_parts(old: ComponentText | ComponentVersion, new: ComponentText | ComponentVersion) -> Iterator[Part]:
    """The same of components."""
    for name in SAID:
        before, after = (getattr(one, name) for one in (old, new))
        yield NAMES.get(name, name.capitalize()), _line(before), _line(after)


def sections_told(sections: Sequence[Section], beside: Sequence[Section]) -> str:
    """All of them by their names in their order; what one says where it is another than `beside`."""
    was = named(beside)
    return "\n".join(
        name if was.get(name) == one else f"{name}:\n{_told(one)}".rstrip() for name, one in named(sections).items()
    )


def _line(value: object) -> str:
    return plain(value) if isinstance(value, tuple | list) and value else str(value or "")


def _told(section: Section | None) -> str:
    if section is None:
        return ""
    settings = [f"{key}: {value}" for key, value in sorted(section.content.items())]
    return "\n".join([section.html_content or "", *settings])
