"""PostgreSQL and the Markdown library behind the domain's interfaces."""
