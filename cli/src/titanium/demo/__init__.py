"""Demo content: users and posts as files, loaded by `titanium seed`."""
