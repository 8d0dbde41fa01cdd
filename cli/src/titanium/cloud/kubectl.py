"""Runs kubectl; what it says when it fails becomes what is wrong and what to do next."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from titanium.errors import TitaniumError, ToolMissingError

Say = Callable[[str], None]
MINIMUM = (1, 30)
_LAST_LINES = 8
_EXPIRED = "The token is no longer valid: put a new one into .env.k8s, then run titanium cloud use."
# What its messages contain -> what to do.
_HINTS = {
    "Unauthorized": _EXPIRED,
    "must be logged in": _EXPIRED,
    "x509:": "The certificate authority does not fit the API server: correct it in .env.k8s.",
    "orbidden": "The account lacks that right: see docs/how-to/deploy-kubernetes.md.",
    "no matches for kind": "The cluster lacks that kind of object: install the add-on that brings "
    "it (argocd/, k8s-manifests/platform/), then try again.",
    "exceeded quota": "The namespace's quota is used up: scale something down or raise it.",
    "field is immutable": "That field cannot change: delete the object it names, then try again.",
    "connection refused": "Is the cluster running, and its address right? See titanium cloud use.",
    "no such host": "The API server's name is not known here: correct it, or connect the VPN.",
    "i/o timeout": "The API server does not answer: check the address and the VPN.",
}


class KubectlError(TitaniumError):
    """kubectl failed; `said` is everything it wrote to its standard error."""

    def __init__(self, arguments: Sequence[str], said: str) -> None:
        lines = [line for line in said.splitlines() if line.strip()]
        hint = next((hint for mark, hint in _HINTS.items() if mark in said), "")
        what = " ".join(arguments[:2])
        super().__init__(
            f"kubectl {what} failed: {lines[-1] if lines else 'it said nothing'}",
            hint or "Run the same with kubectl yourself to see more.",
            tuple(lines[-_LAST_LINES:-1]),
        )
        self.said = said


class Kubectl:
    """kubectl with one kubeconfig (None: the user's own) and one namespace (None: none given)."""

    def __init__(self, kubeconfig: Path | None, namespace: str | None = None) -> None:
        found = shutil.which("kubectl")
        if found is None:
            raise ToolMissingError(
                "kubectl was not found on PATH",
                f"Install kubectl {MINIMUM[0]}.{MINIMUM[1]} or newer (kubernetes.io/docs/tasks).",
            )
        self._program = found
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        # In the environment, not among the arguments: the path is nobody's business, and
        # programs that kubectl starts need it too.
        self._environment = dict(os.environ)
        if kubeconfig is not None:
            self._environment["KUBECONFIG"] = str(kubeconfig)

    @property
    def namespace(self) -> str | None:
        return self._namespace

    def within(self, namespace: str | None) -> Kubectl:
        """The same cluster, another namespace (None: what each object says)."""
        return Kubectl(self._kubeconfig, namespace)

    @property
    def environment(self) -> dict[str, str]:
        """For helm, which reads the same kubeconfig."""
        return dict(self._environment)

    def command(self, *arguments: str) -> list[str]:
        scope = ["--namespace", self._namespace] if self._namespace else []
        return [self._program, *scope, *arguments]

    def run(self, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        """What it writes; KubectlError when it fails or takes longer than `timeout` seconds."""
        done = self._done(arguments, stdin=stdin, timeout=timeout)
        if done.returncode != 0:
            raise KubectlError(arguments, done.stderr)
        return done.stdout

    def succeeds(self, *arguments: str, timeout: float = 120) -> bool:
        return self._done(arguments, stdin=None, timeout=timeout).returncode == 0

    def json(self, *arguments: str) -> dict[str, Any]:
        """The parsed answer of `kubectl ... --output=json`."""
        parsed: dict[str, Any] = json.loads(self.run(*arguments, "--output=json"))
        return parsed

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        return list(self.json(*arguments).get("items", []))

    def copy(
        self,
        *arguments: str,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
        timeout: float = 3600,
    ) -> None:
        """Run it with a file as input or output; KubectlError when it fails."""
        try:
            done = subprocess.run(
                self.command(*arguments),
                stdin=stdin if stdin is not None else subprocess.DEVNULL,
                stdout=stdout if stdout is not None else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=self._environment,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KubectlError(arguments, f"no end after {timeout:g} s") from None
        if done.returncode != 0:
            raise KubectlError(arguments, done.stderr.decode(errors="replace"))

    def require_version(self, minimum: tuple[int, int] = MINIMUM) -> str:
        """The server's version; TitaniumError when it is older than what is supported."""
        server = self.json("version").get("serverVersion")
        if not server:
            raise KubectlError(("version",), "the API server did not answer")
        found = (int(server["major"]), int(str(server["minor"]).rstrip("+")))
        if found < minimum:
            raise TitaniumError(
                f"the cluster runs Kubernetes {server['gitVersion']}",
                f"Upgrade it to {minimum[0]}.{minimum[1]} or newer.",
            )
        return str(server["gitVersion"])

    def _done(
        self, arguments: Sequence[str], *, stdin: str | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                self.command(*arguments),
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                env=self._environment,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KubectlError(arguments, f"no answer within {timeout:g} s") from None
