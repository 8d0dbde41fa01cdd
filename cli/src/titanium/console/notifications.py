"""What Alertmanager delivered by its webhook: the newest, in memory."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

KEEP = 200
Text = Annotated[str, StringConstraints(max_length=4096)]
Labels = Annotated[dict[Text, Text], Field(max_length=64)]


class _Alert(BaseModel):
    model_config = ConfigDict(extra="ignore")

    status: Literal["firing", "resolved"]
    labels: Labels
    annotations: Labels = Field(default_factory=dict)


class Webhook(BaseModel):
    """The part of Alertmanager's webhook (version 4) that is shown."""

    model_config = ConfigDict(extra="ignore")

    alerts: Annotated[list[_Alert], Field(max_length=500)]


@dataclass(frozen=True, slots=True)
class Notification:
    """One alert of one delivery; `received` is in epoch seconds."""

    received: float
    name: str
    status: str
    severity: str
    service: str
    summary: str


class Notifications:
    """The last `KEEP` notifications, newest first when iterated; `version` grows with each."""

    def __init__(self) -> None:
        self._items: deque[Notification] = deque(maxlen=KEEP)
        self.version = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def newest_first(self) -> list[Notification]:
        return list(reversed(self._items))

    def add(self, webhook: Webhook, received: float | None = None) -> int:
        """Keep what a delivery says; how many alerts it had."""
        moment = time.time() if received is None else received
        for alert in webhook.alerts:
            self._items.append(
                Notification(
                    received=moment,
                    name=alert.labels.get("alertname", "(no name)"),
                    status=alert.status,
                    severity=alert.labels.get("severity", ""),
                    service=alert.labels.get("service", ""),
                    summary=alert.annotations.get("summary", ""),
                )
            )
        self.version += 1
        return len(webhook.alerts)
