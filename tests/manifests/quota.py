"""What a namespace uses at its largest: the sum that a ResourceQuota is held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.manifests.support import Object, of_kind, pod_specs

_UNITS = {
    "m": 0.001,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
}
# What Istio gives a sidecar: component istio sets these annotations.
_SIDECAR = {
    "requests.cpu": ("sidecar.istio.io/proxyCPU", "200m"),
    "requests.memory": ("sidecar.istio.io/proxyMemory", "256Mi"),
    "limits.cpu": ("sidecar.istio.io/proxyCPULimit", "1"),
    "limits.memory": ("sidecar.istio.io/proxyMemoryLimit", "256Mi"),
}


def quantity(text: str | float) -> float:
    """A Kubernetes quantity as a number: `200m` is 0.2, `256Mi` bytes."""
    text = str(text)
    number = text.rstrip("".join(_UNITS))
    return float(number) * _UNITS[text[len(number) :]]


def pod_use(pod: Object, *, sidecar: bool = True) -> Counter[str]:
    """Requests and limits of one pod as the quota counts them: containers together, or the
    largest init container (beside the sidecar, which runs then too)."""
    used = _total(pod["spec"]["containers"])
    for one in pod["spec"].get("initContainers", []):
        used |= _total([one])
    if sidecar:
        annotations = pod["metadata"].get("annotations", {})
        for key, (annotation, default) in _SIDECAR.items():
            used[key] += quantity(annotations.get(annotation, default))  # type: ignore[assignment]
    used["pods"] = 1
    return used


def largest_state(objects: list[Object], *, sidecars: bool = True) -> Counter[str]:
    """All workloads at their autoscalers' maximum, all of them in a rolling update at once."""
    most = {
        one["spec"]["scaleTargetRef"]["name"]: one["spec"]["maxReplicas"]
        for one in of_kind(objects, "HorizontalPodAutoscaler")
    }
    workloads = {f"{one['kind']}/{one['metadata']['name']}": one for one in objects}
    sum_: Counter[str] = Counter()
    for name, pod in pod_specs(objects):
        spec = workloads[name]["spec"]
        count = most.get(name.partition("/")[2], spec.get("replicas", 1))
        surge = spec.get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", 0)
        assert isinstance(surge, int), f"{name}: maxSurge is counted in pods"
        for key, amount in pod_use(pod, sidecar=sidecars).items():
            sum_[key] += amount * (count + surge)
    return sum_


def _total(containers: Iterable[Object]) -> Counter[str]:
    used: Counter[str] = Counter()
    for one in containers:
        for kind in ("requests", "limits"):
            for key, value in one["resources"][kind].items():
                used[f"{kind}.{key}"] += quantity(value)  # type: ignore[assignment]
    return used
