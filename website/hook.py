"""What mkdocs calls while it builds: comments such as `<!-- rtfsm: timers -->` become what the code says.

    <!-- rtfsm: commands -->            every command's help
    <!-- rtfsm: pictures session -->    a machine at each level, for each profile
    <!-- rtfsm: picture user_turn -->   its overview alone, for Phonic
    <!-- rtfsm: own hold HOLD -->       a machine that the page itself declares, in its block hold.py
    <!-- rtfsm: notes session -->       the reasons of its odd arrows, from diagrams/notes
    <!-- rtfsm: invariants -->, timers, profiles, vocabulary

On a hosting site that shows the Markdown itself they are nothing, so such a page must make sense without them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from website import generated, pictures, sources
from website.built import wrong_links
from website.sequences import SequenceError, sequence

ROOT = Path(__file__).parents[1]
DIRECTIVE = re.compile(r"^<!-- rtfsm: (\w+)((?: \w+)*) -->$", re.MULTILINE)
FETCHED_SHIM = "https://unpkg.com/iframe-worker/shim"
SHIM = "assets/iframe-worker.js"
NOT_RUN = re.compile(r"^<!-- not run: (.+?) -->$", re.MULTILINE)
MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add what is no file of the repository: tables, pictures, and the sources that pages link to."""
    made = {f"reference/machines/{name}.md": generated.machine_page(name) for name in generated.MACHINES}
    try:
        made |= pictures.files()
    except pictures.PictureError as error:
        raise PluginError(f"the site needs its pictures: {error}") from error
    made["assets/pictures.css"] = pictures.style()
    for file in files.documentation_pages():
        for path in sources.linked(file.content_string, file.src_uri):
            made[sources.page_of(path)] = sources.page(path)
    for address, content in made.items():
        files.append(File.generated(config, address, content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in what is generated."""
    try:
        markdown = DIRECTIVE.sub(lambda found: part(found[1], found[2].split(), page, markdown), markdown)
        markdown = MERMAID.sub(lambda found: sequence(found[1]), markdown)
    except (LookupError, TypeError, SequenceError) as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from error
    markdown = NOT_RUN.sub(r'<small class="not-run">Not run by the tests: \1.</small>', markdown)
    return sources.within(markdown, page.file.src_uri)


def part(name: str, arguments: list[str], page: Page, markdown: str) -> str:
    """What stands in the place of a comment. Raises LookupError or TypeError if it is none of ours."""
    makers: dict[str, Any] = {
        "commands": generated.commands,
        "invariants": generated.invariants,
        "timers": generated.timers,
        "profiles": generated.profiles,
        "vocabulary": generated.vocabulary,
        "notes": lambda machine: (ROOT / "diagrams" / "notes" / f"{machine}.md").read_text(encoding="utf-8").strip(),
        "pictures": lambda machine: tabs(machine, up(page)),
        "own": lambda module, machine: declared(markdown, module, machine),
        "picture": lambda machine: shown(f"pictures/phonic/overview/{machine}.svg", up(page)),
    }
    if name not in makers:
        raise LookupError(f"there is no <!-- rtfsm: {name} -->; there are {', '.join(makers)}")
    return str(makers[name](*arguments))


def declared(markdown: str, module: str, machine: str) -> str:
    """The picture of a machine that a block of the page declares."""
    block = re.search(rf'^```python title="{module}\.py"\n(.*?)^```$', markdown, flags=re.DOTALL | re.MULTILINE)
    if block is None:
        raise LookupError(f"no block of the page is called {module}.py")
    return figure(pictures.of_source(block[1], module, machine))


def tabs(machine: str, root: str) -> str:
    """The pictures of a machine, or of the composition, to choose from."""
    blocks: list[str] = []
    for profile in pictures.PROFILES:
        if machine == pictures.COMPOSITION:
            blocks.append(tab(pictures.title(profile), shown(f"pictures/{profile}/{machine}.svg", root)))
            continue
        levels = (
            tab(pictures.title(profile, level), shown(f"pictures/{profile}/{level.value}/{machine}.svg", root))
            for level in pictures.LEVELS
        )
        blocks.append(tab(pictures.title(profile), "\n".join(levels)))
    return "\n".join(blocks)


def tab(title: str, content: str) -> str:
    lines = "\n".join(f"    {line}" if line else "" for line in content.splitlines())
    return f'=== "{title}"\n\n{lines}\n'


def shown(address: str, root: str) -> str:
    """A picture inside the page, and a way to see it alone."""
    drawn = pictures.inline(pictures.files()[address], address.removeprefix("pictures/").removesuffix(".svg"))
    return figure(drawn, f'<figcaption><a href="{root}{address}">the picture alone</a></figcaption>')


def figure(drawn: str, caption: str = "") -> str:
    """One line, which Markdown leaves as it is."""
    return f'<figure class="rtfsm-picture">{" ".join(drawn.split())}{caption}</figure>\n'


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:
    """The search of a page that is read from a disk needs a script, which the theme would fetch from elsewhere."""
    return output.replace(FETCHED_SHIM, f"{up(page)}{SHIM}")


def on_post_template(output_content: str, *, template_name: str, config: MkDocsConfig) -> str:
    """The same, in the page for what is not found."""
    return output_content.replace(FETCHED_SHIM, f"/{SHIM}")


def up(page: Page) -> str:
    """From a page to the site's root."""
    return "../" * page.file.dest_uri.count("/")


def on_post_build(*, config: MkDocsConfig) -> None:
    """The whole site is there: no link may be broken, and nothing may be fetched from elsewhere."""
    wrong = wrong_links(Path(config.site_dir))
    if wrong:
        raise PluginError("\n".join(["the built site is not right:", *wrong]))
