"""The schema's revisions, in order; run by `python -m titanium_kit.migrate titanium_user`."""
