"""Load on a running platform: visitors who read, search, log in and write, made by Locust.

Locust replaces Python's sockets and threads (gevent), so everything that imports it runs in a
process of its own: `python -m titanium.load`, started by `titanium.load.watch`. What does not
import it (`model`, `scenario`, `pace`, `target`, `watch`, `show`) is for the command line.
"""
