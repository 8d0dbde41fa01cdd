"""What a session is and when a login is refused; knows no framework and no database."""
