output "user_data" {
  description = "cloud-init's configuration of the server."
  value = join("\n", ["#cloud-config", yamlencode({
    package_update  = true
    package_upgrade = true
    packages        = ["awscli", "nftables", "unattended-upgrades", "wireguard-tools"]
    # Nobody logs in: a server that misbehaves is replaced.
    users      = []
    ssh_pwauth = false
    write_files = [for file in [
      { path = "/etc/wireguard/wg0.conf", permissions = "0600", template = "wg0.conf" },
      { path = "/etc/nftables.conf", permissions = "0644", template = "nftables.conf" },
      { path = "/etc/sysctl.d/60-wireguard.conf", permissions = "0644", template = "sysctl.conf" },
      { path = "/usr/local/sbin/titanium-wireguard-key", permissions = "0755", template = "key.sh" },
      { path = "/usr/local/sbin/titanium-wireguard-peers", permissions = "0755", template = "peers.sh" },
      { path = "/etc/systemd/system/wg-quick@wg0.service.d/titanium.conf", permissions = "0644", template = "wg-quick.conf" },
      { path = "/etc/systemd/system/titanium-wireguard-peers.service", permissions = "0644", template = "peers.service" },
      { path = "/etc/systemd/system/titanium-wireguard-peers.timer", permissions = "0644", template = "peers.timer" },
      ] : {
      path        = file.path
      permissions = file.permissions
      content     = templatefile("${local.files}/${file.template}.tftpl", local.values)
    }]
    runcmd = [
      ["sysctl", "--system"],
      ["systemctl", "daemon-reload"],
      # The image's SSH server is of no use here, and the security group does not let anybody to it.
      ["systemctl", "disable", "--now", "ssh"],
      # The firewall first: the server forwards nothing before it stands.
      ["systemctl", "enable", "--now", "nftables"],
      ["systemctl", "restart", "nftables"],
      ["systemctl", "enable", "--now", "wg-quick@wg0"],
      ["systemctl", "enable", "--now", "titanium-wireguard-peers.timer"],
    ]
  })])
}

output "peer_lists" {
  description = "The peers as lines `public-key address name`, in parts that fit a parameter."
  value = [for index, part in local.parts : join("\n", concat(
    index == 0 ? ["# ${length(var.peers)} peers"] : [],
    [for peer in part : "${peer.public_key} ${peer.address} ${peer.name}"],
  ))]
}

output "unknown_public_key" {
  description = "What the public key's parameter holds until the server has booted."
  value       = "unknown until the server has booted"
}
