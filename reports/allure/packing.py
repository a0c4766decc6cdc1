"""Packs Allure's program and data and our own pages into one compressed text, so that the file is a quarter as large.

Rule: nothing is left out, and the browser unpacks it without fetching anything. Allure asks for its data by name and
expects base64 (`window.allureReportData`); `page.js` gives it out of the unpacked bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping

DATA = re.compile(r'd\(("(?:[^"\\]|\\.)*"),"([A-Za-z0-9+/=]*)"\),?')
LIST = re.compile(rf"Promise\.allSettled\(\[(?:{DATA.pattern})*\]\)")
APP = re.compile(r'<script\s+src="data:text/javascript;base64,([^"]+)"></script>')
FULL_NAME = re.compile(rb'"fullName":"([^"]*)"')
APP_NAME = "flowproof:app"  # the name of Allure's program in the archive
LEVEL = 6  # of gzip: 9, its default, takes twice the time for a hundredth of the size
PAGES = "flowproof/"  # before the titles of our own pages


def pack(page: str, pages: Mapping[str, str]) -> str:
    """The page with its data and `pages` compressed. Raises ValueError when Allure's page has not what it should."""
    app = APP.search(page)
    if not app:
        raise ValueError("Allure's page has no program: has Allure changed its template?")
    page = page.replace(app[0], "", 1)
    place = LIST.search(page)
    if not place:
        raise ValueError("Allure's page has no list of data: has Allure changed its template?")
    files = {APP_NAME: base64.b64decode(app[1])}
    data = {json.loads(name): base64.b64decode(value) for name, value in DATA.findall(place[0])}
    files |= dict(sorted(data.items(), key=_likeness))
    files |= {PAGES + title: html.encode(errors="backslashreplace") for title, html in pages.items()}
    packed = base64.b64encode(gzip.compress(_archive(files), LEVEL, mtime=0)).decode("ascii")
    return f'{page[: place.start()]}Promise.allSettled([flowproofUnpack("{packed}")]){page[place.end() :]}'


def _likeness(file: tuple[str, bytes]) -> tuple[str, bytes]:
    """Puts files side by side that are alike, which compresses them better: results of the same test function."""
    name, content = file
    test = FULL_NAME.search(content[:4000])
    return name.rpartition("/")[0], test[1] if test else content[:200]


def unpack(page: str) -> dict[str, bytes]:
    """The files that a packed page has, by name. Raises ValueError for a page that is not packed."""
    packed = re.search(r'flowproofUnpack\("([A-Za-z0-9+/=]+)"\)', page)
    if not packed:
        raise ValueError("the page has no packed data")
    archive = gzip.decompress(base64.b64decode(packed[1]))
    start = 8 + int(archive[:8])
    files: dict[str, bytes] = {}
    for name, length in json.loads(archive[8:start]):
        files[name] = archive[start : start + length]
        start += length
    return files


def _archive(files: Mapping[str, bytes]) -> bytes:
    """The number of bytes of the index in 8 digits, the index of names and lengths as JSON, and the files in order."""
    index = json.dumps([[name, len(content)] for name, content in files.items()], ensure_ascii=True).encode("ascii")
    return b"".join([b"%08d" % len(index), index, *files.values()])
