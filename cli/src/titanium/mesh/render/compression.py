"""Compression at the edge: of pages and their files, where a route asks for it.

The API stays as it is: its strong validators name exact bytes (`If-Match`), and a filter that is
switched off for a route costs its requests nothing.
"""

from __future__ import annotations

from titanium.mesh.edge import Compression
from titanium.mesh.render.parts import Json, http_filter, typed

# A client that takes both gets the first.
_LIBRARIES: tuple[tuple[str, str, Json], ...] = (
    ("brotli", "brotli.compressor.v3.Brotli", {"quality": 4, "window_bits": 18}),
    ("gzip", "gzip.compressor.v3.Gzip", {"compression_level": "COMPRESSION_LEVEL_5"}),
)


def compressors(compression: Compression) -> list[Json]:
    """The filters, all of them off until a route switches them on."""
    found = []
    for number, (name, message, settings) in enumerate(_LIBRARIES):
        content: Json = {
            "response_direction_config": {
                "common_config": {
                    "min_content_length": compression.minimum_bytes,
                    "content_type_matcher": _matchers(compression),
                },
                # The bytes differ, the page does not: that is what a weak validator says.
                "weaken_etag_on_compress": True,
            },
            "compressor_library": {
                "name": name,
                "typed_config": typed(f"extensions.compression.{message}", settings),
            },
            "choose_first": number == 0,
        }
        one = http_filter("compressor", "compressor.v3.Compressor", content)
        found.append({**one, "name": _filter_name(name), "disabled": True})
    return found


def compressed() -> Json:
    """`typed_per_filter_config` of a route whose answers are compressed."""
    on = typed("config.route.v3.FilterConfig", {"config": {}})
    return {_filter_name(name): on for name, _, _ in _LIBRARIES}


def _matchers(compression: Compression) -> list[Json]:
    """Of a type with whatever parameters."""
    return [{"prefix": name, "ignore_case": True} for name in compression.content_types]


def _filter_name(library: str) -> str:
    return f"envoy.filters.http.compressor.{library}"
