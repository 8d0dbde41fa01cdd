"""Prometheus' and Alertmanager's configuration for a local run: names, ports and paths in,
text out. Prometheus' is JSON, which is YAML, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from titanium.layout import HOST, Home, Ports

INTERVAL = "5s"
# A target that answers more than this is broken: it is refused, and `up` is 0.
_SAMPLES = 20_000
_BODY = "16MB"
CONSOLE_URL, CREDENTIALS_FILE = "@CONSOLE_URL@", "@CREDENTIALS_FILE@"


def scrape_token(home: Home) -> Path:
    """Secret with which Prometheus scrapes and Alertmanager calls the console."""
    return home.secret("observability", "scrape_token")


def alertmanager_path(home: Home) -> Path:
    """Secret below which Alertmanager answers: it lets every web page in that knows its address,
    and has no log-in."""
    return home.secret("observability", "alertmanager_path")


def prometheus(home: Home, ports: Ports, alertmanager: str | None) -> str:
    """prometheus.yml; the exporter says what it serves, the rest are static targets.

    `alertmanager`: the secret part of the path of the one that is to be sent alerts.
    """
    authorization = {"type": "Bearer", "credentials_file": str(scrape_token(home))}
    exporter = f"http://{HOST}:{ports.exporter}/sd"
    jobs = [
        # Job, service, instance and path of each target come with its labels.
        _job("exporter", authorization)
        | {
            "http_sd_configs": [
                {"url": exporter, "refresh_interval": INTERVAL, "authorization": authorization}
            ]
        },
        _static("prometheus", ports.prometheus),
        _static("console", ports.console, authorization),
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
    if alertmanager is not None:
        job = _static("alertmanager", ports.alertmanager)
        jobs.append(job | {"metrics_path": f"/{alertmanager}/metrics"})
        targets = [{"targets": [f"{HOST}:{ports.alertmanager}"]}]
        receiver = {"path_prefix": f"/{alertmanager}", "static_configs": targets}
        body["alerting"] = {"alertmanagers": [receiver]}
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def alertmanager_flags(secret: str) -> str:
    """Arguments that nobody may read off the list of processes."""
    return f"--web.route-prefix=/{secret}\n"


def alertmanager(template: str, home: Home, ports: Ports) -> str:
    """alertmanager.yml from monitoring/alertmanager/local.yaml, whose placeholders stand between
    double quotes."""
    credentials = str(scrape_token(home)).replace("\\", "\\\\").replace('"', '\\"')
    console = f"http://{HOST}:{ports.console}"
    return template.replace(CONSOLE_URL, console).replace(CREDENTIALS_FILE, credentials)


def _job(name: str, authorization: dict[str, str] | None = None) -> dict[str, Any]:
    job: dict[str, Any] = {
        "job_name": name,
        "honor_labels": True,
        "sample_limit": _SAMPLES,
        "body_size_limit": _BODY,
        "follow_redirects": False,
    }
    return job | ({"authorization": authorization} if authorization else {})


def _static(name: str, port: int, authorization: dict[str, str] | None = None) -> dict[str, Any]:
    target = {"targets": [f"{HOST}:{port}"], "labels": {"service": name, "instance": name}}
    return _job(name, authorization) | {"static_configs": [target]}
