"""Prometheus' and Alertmanager's configuration for a local run: names, ports and paths in,
text out. Prometheus' is JSON, which is YAML, too."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import bcrypt

from titanium.layout import HOST, Home, Ports

INTERVAL = "5s"
USER = "titanium"
# A target that answers more than this is broken: it is refused, and `up` is 0.
_SAMPLES = 20_000
_BODY = "16MB"
CONSOLE_URL, CREDENTIALS_FILE = "@CONSOLE_URL@", "@CREDENTIALS_FILE@"


def scrape_token(home: Home) -> Path:
    """Secret with which Prometheus scrapes and Alertmanager calls the console."""
    return home.secret("observability", "scrape_token")


def password(home: Home) -> Path:
    """Secret of the one account, `USER`, of Prometheus and Alertmanager."""
    return home.secret("observability", "password")


def web(secret: str, current: str = "") -> str:
    """The web configuration of both: without the password they answer nobody, since by themselves
    they let in every user of this machine and every web page that finds them.

    `current` is kept when it is for this password, as every hash of it is another.
    """
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        known = json.loads(current)["basic_auth_users"][USER]
        if bcrypt.checkpw(secret.encode(), known.encode()):
            return current
    # The fewest rounds that there are: nobody guesses 32 random bytes.
    hashed = bcrypt.hashpw(secret.encode(), bcrypt.gensalt(rounds=4)).decode()
    return json.dumps({"basic_auth_users": {USER: hashed}}, indent=1) + "\n"


def prometheus(home: Home, ports: Ports, *, alerting: bool) -> str:
    """prometheus.yml; the exporter says what it serves, the rest are static targets."""
    authorization = {"type": "Bearer", "credentials_file": str(scrape_token(home))}
    account = {"username": USER, "password_file": str(password(home))}
    exporter = f"http://{HOST}:{ports.exporter}/sd"
    jobs = [
        # Job, service, instance and path of each target come with its labels.
        _job("exporter")
        | {
            "authorization": authorization,
            "http_sd_configs": [
                {"url": exporter, "refresh_interval": INTERVAL, "authorization": authorization}
            ],
        },
        _static("prometheus", ports.prometheus) | {"basic_auth": account},
        _static("console", ports.console) | {"authorization": authorization},
    ]
    body: dict[str, Any] = {
        "global": {
            "scrape_interval": INTERVAL,
            "scrape_timeout": "4s",
            "evaluation_interval": INTERVAL,
        },
        "rule_files": ["rules/*.yaml"],
        "scrape_configs": jobs,
    }
    if alerting:
        jobs.append(_static("alertmanager", ports.alertmanager) | {"basic_auth": account})
        targets = [{"targets": [f"{HOST}:{ports.alertmanager}"]}]
        receiver = {"basic_auth": account, "static_configs": targets}
        body["alerting"] = {"alertmanagers": [receiver]}
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def alertmanager(template: str, home: Home, ports: Ports) -> str:
    """alertmanager.yml from monitoring/alertmanager/local.yaml, whose placeholders stand between
    double quotes."""
    credentials = str(scrape_token(home)).replace("\\", "\\\\").replace('"', '\\"')
    console = f"http://{HOST}:{ports.console}"
    return template.replace(CONSOLE_URL, console).replace(CREDENTIALS_FILE, credentials)


def _job(name: str) -> dict[str, Any]:
    return {
        "job_name": name,
        "honor_labels": True,
        "sample_limit": _SAMPLES,
        "body_size_limit": _BODY,
        "follow_redirects": False,
    }


def _static(name: str, port: int) -> dict[str, Any]:
    target = {"targets": [f"{HOST}:{port}"], "labels": {"service": name, "instance": name}}
    return _job(name) | {"static_configs": [target]}
