"""Names of static files change with what is in them."""

from __future__ import annotations

import re

import pytest

from titanium_blog.http.web.assets import ENTRIES, asset, digest_files, modules

pytestmark = pytest.mark.unit

IMPORTED = re.compile(r'^(?:im|ex)port .*"\./([^"]+)";', re.MULTILINE)


def test_a_file_is_served_under_a_name_with_its_digest_and_kept_for_ever() -> None:
    address = asset("style.css")
    name = address.removeprefix("/blog/static/")
    assert re.fullmatch(r"style\.[0-9a-f]{12}\.css", name)
    headers = dict(ENTRIES[name].headers)
    assert headers[b"cache-control"] == b"public, max-age=31536000, immutable"
    assert headers[b"content-type"] == b"text/css; charset=utf-8"


def test_modules_import_each_other_by_digested_names() -> None:
    sources = {
        "page.js": 'import { one,\n two } from "./one.js";\nimport "./two.js";\nrun("./one.js");',
        "one.js": 'export { two } from "./two.js";',
        "two.js": "export const two = 2;",
    }
    made = digest_files(sources)
    assert made["page.js"].imports == ("two.js", "one.js")
    body = made["page.js"].entry.body.decode()
    assert f' two }} from "./{made["one.js"].name}";' in body
    assert f'import "./{made["two.js"].name}";' in body
    assert 'run("./one.js")' in body
    changed = digest_files({**sources, "two.js": "export const two = 3;"})
    assert all(changed[name].name != made[name].name for name in sources)


def test_a_circle_or_a_missing_module_is_an_error_that_names_the_path() -> None:
    with pytest.raises(ValueError, match=r"a\.js -> b\.js -> a\.js"):
        digest_files({"a.js": 'import "./b.js";', "b.js": 'import "./a.js";'})
    with pytest.raises(ValueError, match=r"a\.js -> b\.js"):
        digest_files({"a.js": 'import "./b.js";'})


def test_every_module_that_is_served_imports_served_modules_only() -> None:
    for name, entry in ENTRIES.items():
        if name.endswith(".js"):
            for other in IMPORTED.findall(entry.body.decode()):
                assert other in ENTRIES, f"{name} imports {other}"
    for address in modules("header.js"):
        assert address.removeprefix("/blog/static/") in ENTRIES
