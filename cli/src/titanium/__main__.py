"""`python -m titanium`: the same as the command `titanium`."""

from titanium.main import main

if __name__ == "__main__":
    main()
