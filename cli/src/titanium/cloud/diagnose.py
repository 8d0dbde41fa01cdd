"""Why a workload does not become ready: its pods' states, last log lines and events."""

from __future__ import annotations

from typing import Any

from titanium.cloud.kubectl import Kubectl, KubectlError

LOG_LINES = 12
EVENTS = 5
_HINTS = {
    "ImagePullBackOff": "The node cannot get the image: is its name right, was it pushed or "
    "loaded into the cluster?",
    "ErrImagePull": "The node cannot get the image: is its name right, was it pushed or loaded "
    "into the cluster?",
    "ErrImageNeverPull": "Load the image into the cluster (docs/how-to/deploy-kubernetes.md).",
    "CreateContainerConfigError": "A Secret or ConfigMap that it names is missing.",
    "CrashLoopBackOff": "It ends after its start: the log lines above say why.",
    "OOMKilled": "It needed more memory than its limit.",
    "Unschedulable": "No node has room for it, or its volume cannot be bound: see the events.",
}


def diagnose(kubectl: Kubectl, name: str, labels: dict[str, str]) -> tuple[list[str], str]:
    """(lines that tell, hint) about the pods with those labels that are not ready."""
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    pods = kubectl.items("get", "pods", "--selector", selector)
    waiting = [pod for pod in pods if not _ready(pod)]
    if not waiting:
        lines = _events(kubectl, name, prefix=True)
        return lines or [f"{name} has no pod that is not ready"], (
            "Look at the objects: kubectl describe (a quota, an admission webhook?)."
        )
    waiting.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
    pod = waiting[-1]
    own = pod["metadata"]["name"]
    reason, message, container = _trouble(pod)
    lines = [f"pod {own}: {reason}" + (f": {message}" if message else "")]
    if container:
        lines += [f"{container}: {line}" for line in _log(kubectl, own, container)]
    lines += _events(kubectl, own)
    return lines, _HINTS.get(reason, f"See more: kubectl describe pod {own}")


def _ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _trouble(pod: dict[str, Any]) -> tuple[str, str, str]:
    """(reason, message, container) of what holds the pod up; "" where there is none."""
    status = pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return condition.get("reason", "Unschedulable"), condition.get("message", ""), ""
    kinds = (status.get("initContainerStatuses", []), status.get("containerStatuses", []))
    for container in (one for kind in kinds for one in kind):
        if trouble := _container_trouble(container):
            return (*trouble, container["name"])
    unready = [one["name"] for one in kinds[1] if not one.get("ready")]
    return "NotReady", "its readiness probe fails", unready[0] if unready else ""


def _container_trouble(container: dict[str, Any]) -> tuple[str, str] | None:
    state = container.get("state", {})
    ended = state.get("terminated") or container.get("lastState", {}).get("terminated") or {}
    if ended.get("reason") == "OOMKilled":
        return "OOMKilled", f"after {container.get('restartCount', 0)} restarts"
    if waiting := state.get("waiting"):
        reason = str(waiting.get("reason", ""))
        if reason not in ("", "PodInitializing", "ContainerCreating"):
            return reason, str(waiting.get("message", ""))
    if "terminated" in state and ended.get("exitCode"):
        return "Error", f"exit code {ended['exitCode']}"
    return None


def _log(kubectl: Kubectl, pod: str, container: str) -> list[str]:
    for extra in (("--previous",), ()):
        try:
            text = kubectl.run(
                "logs", pod, "--container", container, f"--tail={LOG_LINES}", *extra, timeout=20
            )
        except KubectlError:
            continue
        if text.strip():
            return text.strip().splitlines()[-LOG_LINES:]
    return []


def _events(kubectl: Kubectl, name: str, *, prefix: bool = False) -> list[str]:
    try:
        events = kubectl.items("get", "events", "--field-selector", "type!=Normal")
    except KubectlError:
        return []
    own = [
        event
        for event in events
        if _concerns(str(event.get("involvedObject", {}).get("name", "")), name, prefix=prefix)
    ]
    own.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    return [f"event {event.get('reason')}: {event.get('message')}" for event in own[-EVENTS:]]


def _concerns(found: str, name: str, *, prefix: bool) -> bool:
    return found == name or (prefix and found.startswith(f"{name}-"))
