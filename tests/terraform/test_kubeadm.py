"""The user data of kubeadm's machines, rendered by Terraform and run: with programs in the place of
those that need a network (apt-get, kubeadm, aws, ...), which write down what they are asked."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.terraform.support import ROOT, SOURCES, initialized

pytestmark = pytest.mark.cloud

HERE = Path(__file__).parent
TEMPLATES = SOURCES / "modules" / "kubernetes" / "templates"

# Each writes its arguments into /machine/calls; what it has to do besides.
PROGRAMS = {
    "apt-get": "",
    "apt-mark": "",
    "systemctl": "",
    "modprobe": "",
    "sysctl": "",
    "sleep": "",
    "sha256sum": "cat > /dev/null",
    "containerd": "echo '    SystemdCgroup = false'",
    "gpg": 'umask 077; cat > "${@: -1}"',
    "dpkg": "echo amd64",
    "curl": """
        case "$*" in
            *latest/api/token*) echo metadata-token ;;
            *placement/availability-zone*) printf ap-northeast-2b ;;
            *instance-id*) printf i-0123456789abcdef0 ;;
            *helm*) mkdir -p /tmp/linux-amd64 && cp /machine/helm /tmp/linux-amd64/helm
                tar --create --gzip --file "${@: -2:1}" --directory /tmp linux-amd64/helm ;;
            *) echo key ;;
        esac""",
    "aws": """
        # secretsmanager VERB --secret-id NAME ...
        value=/machine/secrets/$4
        if [ -e /machine/outage ]; then
            rm /machine/outage
            echo 'An error occurred (AccessDeniedException): not yet' >&2
            exit 254
        fi
        case $2 in
            get-secret-value)
                if [ ! -e "$value" ]; then
                    echo 'An error occurred (ResourceNotFoundException): no value' >&2
                    exit 254
                fi
                cat "$value" ;;
            put-secret-value) cp "${6#file://}" "$value" ;;
        esac""",
    "kubeadm": """
        case "$*" in
            "init phase upload-certs"*) echo Storing; echo certificates-key ;;
            "init "*)
                touch /etc/kubernetes/kubelet.conf
                echo kubeconfig > /etc/kubernetes/admin.conf ;;
            "token create"*)
                echo 'kubeadm join api.example:6443 --token t.2 --discovery-token-ca-cert-hash a' ;;
            "join "*)
                if [ -e /machine/busy ]; then rm /machine/busy; exit 1; fi
                touch /etc/kubernetes/kubelet.conf
                case "$*" in
                    *--control-plane*) echo kubeconfig > /etc/kubernetes/admin.conf ;;
                esac ;;
        esac""",
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """first, other, worker: user data as the module renders it."""
    folder = tmp_path_factory.mktemp("kubeadm")
    shutil.copytree(TEMPLATES, folder / "templates")
    (folder / "main.tf").write_text(
        """
locals {
  common = { region = "ap-northeast-2", version = "1.35", join_secret = "join" }
  control_plane = [for index in [0, 1] : templatefile("templates/control-plane.sh.tftpl", {
    common = templatefile("templates/common.sh.tftpl", merge(local.common, { labels = "" }))
    index = index, endpoint = "api.example:6443", name = "titanium", region = "ap-northeast-2"
    version = "1.35", pod_cidr = "10.244.0.0/16", service_cidr = "10.96.0.0/16"
    join_secret = "join", certificates_secret = "certificates", config_secret = "kubeconfig"
    cilium_version = "1.19.8"
  })]
}
output "first" { value = local.control_plane[0] }
output "other" { value = local.control_plane[1] }
output "worker" {
  value = templatefile("templates/worker.sh.tftpl", {
    common = templatefile("templates/common.sh.tftpl", merge(local.common, {
      labels = "tier=web,a=b"
    }))
  })
}
"""
    )
    terraform = initialized(folder, folder / "data")
    terraform.run("apply", "-auto-approve")
    outputs = json.loads(terraform.run("output", "-json"))
    return {name: one["value"] for name, one in outputs.items()}


@dataclass(frozen=True)
class Machine:
    """What one start of a machine left behind."""

    folder: Path
    code: int
    said: str

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text("utf-8").splitlines()

    def asked(self, program: str) -> list[str]:
        """Arguments of each call of a program."""
        return [one.partition(" ")[2] for one in self.calls if one.split()[0] == program]

    def file(self, path: str) -> Path:
        return self.folder / "changed" / path


class Cloud:
    """Machines one after the other, with Secrets Manager between them."""

    def __init__(self, folder: Path, scripts: dict[str, str]) -> None:
        self.folder, self.scripts, self.count = folder, scripts, 0
        self.secrets = folder / "secrets"
        self.secrets.mkdir()

    def start(self, which: str, *conditions: str, without: tuple[str, ...] = ()) -> Machine:
        """A machine's first start; `conditions` are files that the programs look at."""
        self.count += 1
        folder = self.folder / str(self.count)
        for name in ("programs", "layer"):
            (folder / name).mkdir(parents=True)
        (folder / "secrets").symlink_to("/machine/shared")
        shutil.copytree(self.secrets, folder / "shared")
        (folder / "calls").touch()
        (folder / "script").write_text(self.scripts[which])
        for name in conditions:
            (folder / name).touch()
        for name, body in {**PROGRAMS, "helm": ""}.items():
            if name in without:
                continue
            target = folder / ("helm" if name == "helm" else f"programs/{name}")
            target.write_text(f'#!/bin/bash\necho "{name} $*" >> /machine/calls\n{body}\n')
            target.chmod(0o755)
        command = ["unshare", "--mount", "--propagation", "private", "bash"]
        done = subprocess.run(
            [*command, str(HERE / "kubeadm_machine.sh"), str(folder), "script"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        shutil.copytree(folder / "shared", self.secrets, dirs_exist_ok=True)
        return Machine(folder, done.returncode, done.stdout + done.stderr)

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text("utf-8").strip()


@pytest.fixture
def cloud(tmp_path: Path, scripts: dict[str, str]) -> Cloud:
    if missing := _no_layer(tmp_path):
        pytest.skip(f"a machine's start is tried in a layer above this machine's files: {missing}")
    return Cloud(tmp_path, scripts)


def _no_layer(folder: Path) -> str:
    """Why a mount namespace with an overlay cannot be had; empty when it can."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return "it takes root and unshare"
    layer = folder / "probe"
    layer.mkdir()
    overlay = f"lowerdir=/,upperdir={layer}/upper,workdir={layer}/work"
    script = f"""mount -t tmpfs tmpfs {layer} && mkdir {layer}/upper {layer}/work {layer}/root &&
        mount -t overlay overlay -o {overlay} {layer}/root"""
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip()


@pytest.mark.parametrize("name", ["first", "other", "worker"])
def test_scripts_are_sound(name: str, scripts: dict[str, str], tmp_path: Path) -> None:
    """bash reads them, shellcheck finds nothing."""
    script = tmp_path / f"{name}.sh"
    script.write_text(scripts[name])
    shellcheck = ROOT / ".venv" / "bin" / "shellcheck"
    for command in (["bash", "-n"], [str(shellcheck), "--severity=info"]):
        done = subprocess.run([*command, str(script)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_user_data_fits(scripts: dict[str, str]) -> None:
    """16 KiB is the limit, and it is sent compressed; here it fits as it is."""
    assert all(len(text.encode()) < 16384 for text in scripts.values())


def test_the_first_makes_the_cluster_and_says_how_to_join(cloud: Cloud) -> None:
    first = cloud.start("first")
    assert first.code == 0, first.said
    (initialized_with, *_) = first.asked("kubeadm")
    assert initialized_with == "init --config /root/kubeadm.yaml"
    config = first.file("root/kubeadm.yaml").read_text("utf-8")
    assert 'controlPlaneEndpoint: "api.example:6443"' in config
    assert "podSubnet: 10.244.0.0/16" in config
    assert cloud.secret("join").startswith("kubeadm join api.example:6443 --token t.2")
    assert cloud.secret("certificates") == "certificates-key"
    assert cloud.secret("kubeconfig") == "kubeconfig"
    assert "enable --now publish-join.timer" in first.asked("systemctl")
    # Before the pods' network, on which others do not wait.
    assert first.calls.index("systemctl enable --now publish-join.timer") < len(first.calls) - 1
    (helm,) = first.asked("helm")
    assert "--version 1.19.8" in helm
    assert "tunnelPort=4789" in helm


def test_the_key_of_the_packages_can_be_read_by_apt(cloud: Cloud) -> None:
    """It reads as user _apt: an unreadable key ends in "not signed"."""
    key = cloud.start("first").file("usr/share/keyrings/kubernetes.gpg")
    assert stat.S_IMODE(key.stat().st_mode) == 0o644


def test_a_helm_that_is_not_the_pinned_one_is_refused(cloud: Cloud) -> None:
    first = cloud.start("first", without=("sha256sum",))
    assert first.code != 0
    assert first.asked("helm") == []


def test_the_others_join_as_control_planes(cloud: Cloud) -> None:
    cloud.start("first")
    other = cloud.start("other")
    assert other.code == 0, other.said
    (joined, *published) = other.asked("kubeadm")
    assert joined.endswith("--control-plane --certificate-key certificates-key")
    assert published, "it publishes, too, should the first be lost"
    timer = other.file("etc/systemd/system/publish-join.timer").read_text("utf-8")
    assert "OnCalendar=*-*-* *:18:00" in timer
    assert other.asked("helm") == []


def test_a_first_that_is_replaced_joins_and_makes_no_second_cluster(cloud: Cloud) -> None:
    cloud.start("first")
    again = cloud.start("first")
    assert again.code == 0, again.said
    commands = again.asked("kubeadm")
    assert commands[0].startswith("join ")
    assert "--control-plane" in commands[0]
    assert not any(one.startswith("init --config") for one in commands)
    assert again.asked("helm") == []


def test_an_outage_of_secrets_manager_makes_no_second_cluster(cloud: Cloud) -> None:
    cloud.start("first")
    again = cloud.start("first", "outage")
    assert again.asked("kubeadm")[0].startswith("join ")
    assert "AccessDeniedException" in again.said


def test_a_worker_joins_with_labels_and_the_name_of_its_instance(cloud: Cloud) -> None:
    cloud.start("first")
    worker = cloud.start("worker")
    assert worker.code == 0, worker.said
    assert worker.asked("kubeadm") == [cloud.secret("join").removeprefix("kubeadm ")]
    assert worker.file("etc/default/kubelet").read_text("utf-8") == (
        "KUBELET_EXTRA_ARGS=--provider-id=aws:///ap-northeast-2b/i-0123456789abcdef0"
        " --node-labels=tier=web,a=b\n"
    )
    # Its role may not read it.
    assert not [one for one in worker.asked("aws") if "certificates" in one]
    assert "SystemdCgroup = true" in worker.file("etc/containerd/config.toml").read_text("utf-8")


def test_a_join_that_fails_is_tried_again_from_the_beginning(cloud: Cloud) -> None:
    cloud.start("first")
    worker = cloud.start("worker", "busy")
    assert worker.code == 0, worker.said
    assert [one.split()[0] for one in worker.asked("kubeadm")] == ["join", "reset", "join"]


def test_a_second_start_changes_nothing_in_the_cluster(cloud: Cloud) -> None:
    cloud.start("first")
    again = cloud.start("worker", "joined")
    assert again.code == 0, again.said
    assert again.asked("kubeadm") == []
