"""The built site as a reader meets it: every page whole, no raw markup, nothing fetched from other servers.

`make test` builds the site first; by hand, run `make book` before.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import contents
import pytest
from bs4 import BeautifulSoup

import fslbook

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"

PAGES = contents.pages_of()
RAW_MARKUP = {
    "raw TeX": re.compile(r"\$\$|\\\(|\\\[|\\begin\{|\\(frac|mathbf|sum|lVert)\b|\$[^$\s][^$\n]*\$"),
    "a role that was not rendered": re.compile(r"\{[a-z][a-z:-]*\}`"),
    "a directive that was not rendered": re.compile(r"(:::|```)\{"),
}


def problems(file: Path) -> list[str]:
    """Everything that is wrong with a built page."""
    page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    rules = (title_problems, link_problems, image_problems, server_problems, mathjax_problems, text_problems)
    return [problem for rule in rules for problem in rule(page, file)]


def title_problems(page, file):
    if not (page.title and page.title.get_text(strip=True) and page.h1 and page.h1.get_text(strip=True)):
        yield "has no title"


def link_problems(page, file):
    for link in page.select("a[href]"):
        address = urlsplit(link["href"])
        if address.scheme or address.netloc:
            continue
        target = (file.parent / unquote(address.path)).resolve() if address.path else file
        if not target.is_file():
            yield f"links to {link['href']}, which is missing"
        elif address.fragment and not has_anchor(target, unquote(address.fragment)):
            yield f"links to {link['href']}, an anchor that is missing"


def has_anchor(file, name):
    if file.suffix != ".html" or name == "":
        return True
    return f'id="{name}"' in file.read_text(encoding="utf-8")


def image_problems(page, file):
    for image in page.select("img"):
        source = image.get("src", "")
        if not source.startswith("data:") and not (file.parent / unquote(urlsplit(source).path)).is_file():
            yield f"shows {source}, which is missing"
        if not image.get("alt", "").strip():
            yield f"shows {source} without alt text"


def server_problems(page, file):
    for element in page.select("script[src], link[href][rel~=stylesheet], link[href][rel~=preload], iframe[src], img"):
        address = element.get("src") or element.get("href") or ""
        if re.match(r"(https?:)?//", address):
            yield f"needs another server: {address}"
    for script in page.select("script:not([src])"):
        yield from (f"a script names another server: {u}" for u in re.findall(r"https?://[^\s\"']+", script.text))


def mathjax_problems(page, file):
    scripts = [script["src"] for script in page.select("script[src]") if "mathjax" in script["src"].lower()]
    if page.select(".math") and not scripts:
        yield "has formulas but loads no MathJax"
    for script in scripts:
        if not (file.parent / urlsplit(script).path).is_file():
            yield f"MathJax is not in the site: {script}"


def text_problems(page, file):
    if page.select(".output.stderr"):
        yield "shows what a cell wrote to stderr"
    for example in page.select(".doctest"):  # the examples of the reference are run; some show an error that is meant
        example.decompose()
    if "Traceback (most recent call last)" in page.get_text():
        yield "shows a Python traceback"
    for element in page.select("script, style, .math, pre, code"):
        element.decompose()
    text = page.get_text()
    yield from (
        f"shows {what}: {found[0]!r}" for what, pattern in RAW_MARKUP.items() if (found := pattern.search(text))
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound(name):
    file = SITE / f"{name}.html"
    assert file.is_file(), f"{file} was not built: run `make book`"
    source = next(path for path in (ROOT / f"{name}.ipynb", ROOT / f"{name}.md") if path.is_file())
    assert file.stat().st_mtime >= source.stat().st_mtime, f"{file} is older than {source.name}: run `make book`"
    assert problems(file) == []


def test_the_first_page_leads_into_the_book():
    page = BeautifulSoup((SITE / "index.html").read_text(), "html.parser")
    assert f"url={PAGES[0]}.html" in str(page.meta)


def test_styles_fetch_nothing_from_other_servers():
    fetched = [
        f"{file.name}: {found}"
        for file in (SITE / "_static").rglob("*.css")
        for found in re.findall(r"url\(\s*['\"]?(?:https?:)?//[^)]*\)|@import\s+['\"](?:https?:)?//", file.read_text())
    ]
    assert fetched == []


def test_mathjax_brings_its_fonts():
    assert list((SITE / "_static" / "mathjax").rglob("*.woff"))


SOUND = """<html><head><title>T</title><script src="mathjax/tex.js"></script></head><body><h1 id="top">T</h1>
<p>Costs 5 dollars. <span class="math">\\(x\\)</span> <a href="#top">up</a> <a href="other.html#part">other</a>
<a href="https://example.org">away</a> <code>$$ \\frac {eq}`x`</code> <img src="a.png" alt="a line"></p>
</body></html>"""


@pytest.fixture
def small_site(tmp_path):
    (tmp_path / "mathjax").mkdir()
    (tmp_path / "mathjax" / "tex.js").touch()
    (tmp_path / "a.png").touch()
    (tmp_path / "other.html").write_text('<p id="part">')
    return tmp_path / "page.html"


def test_a_sound_page_has_no_problems(small_site):
    small_site.write_text(SOUND)
    assert problems(small_site) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("<title>T</title>", "", "has no title"),
        ("<h1 id", "<h2 id", "has no title"),
        ('href="#top"', 'href="#gone"', "links to #gone, an anchor"),
        ("other.html#part", "other.html#gone", "links to other.html#gone, an anchor"),
        ("other.html", "gone.html", "links to gone.html#part, which is missing"),
        ('alt="a line"', 'alt=" "', "shows a.png without alt text"),
        ('alt="a line"', "", "shows a.png without alt text"),
        ("a.png", "b.png", "shows b.png, which is missing"),
        ("mathjax/tex.js", "https://cdn.example.org/mathjax/tex.js", "needs another server"),
        ("mathjax/tex.js", "mathjax/gone.js", "MathJax is not in the site"),
        ("mathjax/tex.js", "a.png", "has formulas but loads no MathJax"),
        ("<head>", '<head><link rel="stylesheet" href="//fonts.example.org/a.css">', "needs another server"),
        ("<head>", "<head><script>const u = 'https://cdn.example.org/x.js'</script>", "a script names another server"),
        ("5 dollars", "$$5$$", "shows raw TeX"),
        ("5 dollars", "$x_1$", "shows raw TeX"),
        ("5 dollars", r"\begin{align}", "shows raw TeX"),
        ("5 dollars", "{cite:t}`snell2017`", "shows a role"),
        ("5 dollars", ":::{note}", "shows a directive"),
        ("5 dollars", "<pre>Traceback (most recent call last)</pre>", "shows a Python traceback"),
        ("5 dollars", '<div class="output stderr">hm</div>', "shows what a cell wrote to stderr"),
    ],
)
def test_a_broken_page_is_noticed(old, new, problem, small_site):
    assert old in SOUND
    small_site.write_text(SOUND.replace(old, new))
    assert any(line.startswith(problem) for line in problems(small_site)), problems(small_site)


def test_the_package_page_documents_every_public_name():
    page = (SITE / "book/package.html").read_text(encoding="utf-8")
    assert [name for name in fslbook.__all__ if f'id="fslbook.{name}"' not in page] == []
