"""What the site has beside the pages: files of the checkout that pages link to, and the list of commands."""

import re
import subprocess
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import fiksmelding
from fiksmelding import errors

ROOT = Path(__file__).parents[2]
LINKED = (
    "examples/*.json",
    "examples/*.xml",
    "examples/*.py",
    "examples/vendor/README.md",
    "schemas/*.xsd",
    "CHANGELOG.md",
)
OUT_OF_DOCS = re.compile(r"\]\((?:\.\./)+(?=(?:examples|schemas)/|CHANGELOG\.md)")
INTO_DOCS = re.compile(r"\]\(((?:\.\./)*)docs/")
COMMANDS = "reference/commands.md"
NAMES = "reference/fiksmelding.md"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take what pages link to outside of `docs` into the site, under the path that it has in the checkout."""
    for pattern in LINKED:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links out of `docs`, and into it, lead to where the site has the file."""
    del config, files
    here = page.file.src_uri
    if here == COMMANDS:
        markdown += _commands()
    if here == NAMES:
        markdown += _more_names(markdown)
    return INTO_DOCS.sub(r"](\1", OUT_OF_DOCS.sub("](" + "../" * here.count("/"), markdown))


def _commands() -> str:
    """Every command with its options, from the program itself."""
    describe = [sys.executable, "-m", "typer", "fiksmelding.cli.app", "utils", "docs", "--name", "fiksmelding"]
    told = subprocess.run(describe, check=True, capture_output=True, text=True, env={"TERMINAL_WIDTH": "120"}).stdout
    # Its own title would be a second one on the page.
    return told.split("\n", 1)[1]


def _more_names(markdown: str) -> str:
    """The public names that the page does not put under a heading of its own."""
    told = set(re.findall(r"^::: fiksmelding\.(\w+)$", markdown, re.MULTILINE)) | {*errors.__all__, "__version__"}
    left = [name for name in fiksmelding.__all__ if name not in told]
    return "\n## More\n" + "".join(f"\n::: fiksmelding.{name}\n" for name in left) if left else ""
