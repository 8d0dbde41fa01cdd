"""One file per command; a module without a leading underscore is a command of that name."""
