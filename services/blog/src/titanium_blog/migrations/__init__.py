"""The revisions of the blog's schema, oldest first by file name."""
