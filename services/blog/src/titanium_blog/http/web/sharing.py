"""What other programs make of a post: search engines and whoever shows a link."""

from __future__ import annotations

from typing import Any

from titanium_blog.adapters.browsing import Profile
from titanium_blog.adapters.people import Person
from titanium_blog.domain.language import language_of
from titanium_blog.domain.posts import Post
from titanium_blog.http.web.rendering import author_address, rfc3339


def linked_data(post: Post, site: str) -> dict[str, Any]:
    """A post in the words of schema.org, for JSON-LD."""
    address = f"{site}/blog/posts/{post.id}"
    return {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "@id": address,
        "mainEntityOfPage": address,
        "headline": post.title,
        "description": post.excerpt,
        "inLanguage": language_of(f"{post.title} {post.content}"),
        "articleSection": post.category.name,
        "datePublished": rfc3339(post.created_at),
        "dateModified": rfc3339(post.updated_at),
        "author": {
            "@type": "Person",
            "name": post.author,
            "url": site + author_address(post.author),
        },
        "publisher": {"@type": "Organization", "name": "Titanium", "url": f"{site}/blog/"},
    }


def linked_profile(profile: Profile, person: Person | None, site: str) -> dict[str, Any]:
    """An author in the words of schema.org, for JSON-LD; without `person`, the username alone."""
    address = site + author_address(profile.username)
    about: dict[str, Any] = {
        "@type": "Person",
        "@id": address,
        "name": (person and person.display_name) or profile.username,
        "alternateName": profile.username,
        "url": address,
    }
    if person and person.bio:
        about["description"] = person.bio
    return {"@context": "https://schema.org", "@type": "ProfilePage", "mainEntity": about}
