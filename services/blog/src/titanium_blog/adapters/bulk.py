"""Very many posts for measurements, made inside the database: about a minute for a million."""

from __future__ import annotations

from titanium_blog.adapters.categories import ensure_author, ensure_category
from titanium_blog.adapters.markdown import VERSION
from titanium_blog.domain.categories import CategoryName
from titanium_blog.domain.posts import Author
from titanium_kit.database import Connection

CHUNK = 20_000
FIRST_AUTHOR = 9_000_000_000_000
AUTHORS = 50
CATEGORIES = 20

INSERT = """
WITH words AS (
       SELECT array_agg(head || tail ORDER BY md5(head || tail)) AS w
         FROM unnest(string_to_array(
                'ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu', ' ')) head,
              unnest(string_to_array(
                'bel cor dan fil gon hal jet kem lin mor nat pol rud sen tor vik wen', ' ')) tail),
     numbered AS (
       SELECT n, 'Bulk post ' || n AS title,
              (SELECT string_agg(
                      w[1 + ((n::bigint * (i * i + 7) + i * 31) % (2 + i * i / 4))::int], ' ')
                 FROM generate_series(1, 36) i) || ' number' || n AS content
         FROM words, generate_series($1::integer, $2::integer) n)
INSERT INTO posts (author_id, category_id, title, content, content_html, excerpt, search,
                   render_version, created_at, updated_at)
SELECT $3::bigint + n % $4, ($5::bigint[])[1 + n % cardinality($5)], title, content,
       '<p>' || content || E'</p>\\n', left(content, 200),
       setweight(to_tsvector('simple', title), 'A') || to_tsvector('simple', content), $6,
       now() - ($7 - n) * interval '1 second', now() - ($7 - n) * interval '1 second'
  FROM numbered"""


async def insert_many(connection: Connection, total: int) -> None:
    """Add `total` English posts by 50 invented authors in 20 categories, one second apart.

    Whoever measures next should `VACUUM (ANALYZE) posts` as the tables' owner, as autovacuum does
    sooner or later: the service's own role may not.
    """
    for start in range(1, total + 1, CHUNK):
        async with connection.transaction():
            for number in range(AUTHORS):
                await ensure_author(connection, Author(FIRST_AUTHOR + number, f"bulk-{number}"))
            keys = []
            for number in range(CATEGORIES):
                name = CategoryName.of(f"Bulk {number}")
                await ensure_category(connection, name)
                keys.append(name.key)
            rows = await connection.fetch(
                "SELECT id FROM categories WHERE key = ANY($1) FOR KEY SHARE", keys
            )
            await connection.execute(
                INSERT,
                start,
                min(start + CHUNK - 1, total),
                FIRST_AUTHOR,
                AUTHORS,
                [row["id"] for row in rows],
                VERSION,
                total,
            )
