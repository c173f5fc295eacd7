"""The pages, and the blocks of code on them."""

import re
from dataclasses import dataclass
from functools import cached_property

from support.documents import ROOT

MARK = r"(?:<!-- (?P<mark>[a-z ]+): .+? -->\n)?"
FENCE = re.compile(MARK + r"```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+?)(?: \{.*\})?$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: Its page, relative to the checkout.
        line: Where it begins, from 1.
        language: What stands behind the fence.
        code: What is in it.
        heading: The heading it stands under.
        mark: Why it is treated otherwise than others of its language, from a comment on the line before it.
    """

    page: str
    line: int
    language: str
    code: str
    heading: str
    mark: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """A page by its path relative to the checkout."""

    name: str

    @cached_property
    def text(self) -> str:
        """What it says."""
        return (ROOT / self.name).read_text("utf-8")

    @cached_property
    def blocks(self) -> list[Block]:
        """Every block on it, in order."""
        found = []
        for match in FENCE.finditer(self.text):
            before = self.text[: match.start("language")]
            # Comments in blocks of code look like headings too.
            headings = HEADING.findall(re.sub(r"^```.*?^```$", "", before, flags=re.MULTILINE | re.DOTALL))
            heading = headings[-1] if headings else ""
            line = before.count("\n") + 1
            found.append(Block(self.name, line, match["language"], match["code"], heading, match["mark"]))
        return found

    def code(self, heading: str, language: str = "sh") -> list[str]:
        """The blocks under a heading that begins so."""
        return [one.code for one in self.blocks if one.language == language and one.heading.startswith(heading)]


def pages() -> list[Page]:
    """Every page that a user reads."""
    names = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/vendor/README.md"]
    names += sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return [Page(name) for name in names]
