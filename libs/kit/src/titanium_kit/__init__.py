"""What every Titanium service shares; the services' domains import none of it."""
