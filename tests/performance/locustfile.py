"""The platform's visitors for Locust itself, the same that `titanium load` sends.

    locust -f tests/performance/locustfile.py --host http://127.0.0.1:8080 --headless -u 10 -t 30s

TITANIUM_LOAD_SCENARIO chooses the scenario (mixed, browse, write, login, steps). The process
exits with status 1 when a threshold was missed. One process only: workers would each make
accounts of their own.
"""

from __future__ import annotations

from titanium.load import plain

BlogVisitor = plain.visitor()
if plain.steps():

    class Steps(plain.Steps):
        """10, then 50, then 100 users."""
