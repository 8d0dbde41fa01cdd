locals {
  address = var.nodes[var.name]

  # One place for every path; `root` is empty on a server.
  paths = {
    certificates = "${var.root}/etc/titanium-database"
    data         = "${var.root}/var/lib/postgresql/${var.postgres_version}/${var.cluster}"
    etcd         = "${var.root}/var/lib/etcd/${var.cluster}"
    sockets      = "${var.root}/run/postgresql"
    log          = "${var.root}/var/log/pgbackrest"
    lock         = "${var.root}/run/pgbackrest"
    spool        = "${var.root}/var/spool/pgbackrest"
    patroni      = "${var.root}/etc/patroni/config.yml"
    secrets      = "${var.root}/etc/patroni/secrets.env"
    etcd_config  = "${var.root}/etc/etcd/etcd.yml"
    pgbackrest   = "${var.root}/etc/pgbackrest/pgbackrest.conf"
    restore      = "${var.root}/etc/pgbackrest/restore.conf"
    proxy        = "${var.root}/etc/titanium-database/haproxy.cfg"
    sql          = "${var.root}/etc/titanium-database/sql"
    identity     = "${var.root}/etc/titanium-database/identity.json"
    exporter     = "${var.root}/etc/systemd/system/prometheus-node-exporter.service.d/titanium.conf"
    programs     = "${var.root}/usr/local/sbin"
    bin          = coalesce(var.postgres_bin, "/usr/lib/postgresql/${var.postgres_version}/bin")
  }

  # Memory (docs/adr/0041-database-size.md): a quarter of it for shared buffers, as PostgreSQL's manual
  # advises; a connection costs up to 10 MiB under load, and the node runs etcd and Patroni besides.
  shared_buffers  = floor(var.memory_mib / 4)
  max_connections = max(50, min(400, floor((var.memory_mib - 512) / 20)))

  # A point in time in the past is a cluster of its own: nothing that exists is overwritten.
  restore_command = var.restore == null ? "" : join(" ", concat(
    [var.pgbackrest, "--config=${local.paths.restore}", "--stanza=${var.restore.cluster}"],
    var.restore.target == null ? [] : ["--type=time", "\"--target=${var.restore.target}\"", "--target-action=promote"],
    ["restore"],
  ))

  context = {
    account         = var.account
    address         = local.address
    archive_timeout = var.archive_timeout
    client_cidrs    = var.client_cidrs
    cluster         = var.cluster
    max_connections = local.max_connections
    memory_mib      = var.memory_mib
    name            = var.name
    node_cidrs      = coalesce(var.node_cidrs, [for ip in values(var.nodes) : "${ip}/32"])
    nodes           = var.nodes
    paths           = local.paths
    pgbackrest      = var.pgbackrest
    ports           = var.ports
    region          = var.region
    services        = var.services
    client_secret   = var.client_secret_id
    python          = var.python
    repository      = var.repository
    restore         = var.restore
    restore_command = local.restore_command
    root            = var.root
    shared_buffers  = local.shared_buffers
  }

  identity = {
    address        = local.address
    cluster        = var.cluster
    name           = var.name
    region         = var.region
    cluster_secret = var.cluster_secret_id
    client_secret  = var.client_secret_id
    names          = concat([var.name, "localhost"], var.endpoint_names)
    folder         = local.paths.certificates
    secrets        = local.paths.secrets
    owners         = { etcd = "etcd", node = var.account }
  }

  # Nothing in here is secret: user data can be read by whoever may describe the instance.
  configuration = {
    (local.paths.etcd_config) = templatefile("${path.module}/templates/etcd.yml.tftpl", local.context)
    (local.paths.patroni)     = templatefile("${path.module}/templates/patroni.yml.tftpl", local.context)
    (local.paths.proxy)       = templatefile("${path.module}/templates/haproxy.cfg.tftpl", local.context)
    (local.paths.pgbackrest)  = templatefile("${path.module}/templates/pgbackrest.conf.tftpl", merge(local.context, { stanza = var.cluster, options = var.repository }))
    (local.paths.identity)    = "${jsonencode(local.identity)}\n"
    (local.paths.exporter)    = templatefile("${path.module}/templates/node-exporter.conf.tftpl", local.context)
  }

  restore_configuration = var.restore == null ? {} : {
    (local.paths.restore) = templatefile("${path.module}/templates/pgbackrest.conf.tftpl", merge(local.context, { stanza = var.restore.cluster, options = var.restore.repository }))
  }

  # The services' roles are made with what makes them in a cluster without AWS.
  sql = { for file in fileset("${path.module}/sql", "*.sql") : "${local.paths.sql}/${file}" => file("${path.module}/sql/${file}") }

  programs = {
    "${local.paths.programs}/titanium-database-identity"  = file("${path.module}/files/identity.py")
    "${local.paths.programs}/titanium-database-disks"     = file("${path.module}/files/disks.sh")
    "${local.paths.programs}/titanium-database-leads"     = templatefile("${path.module}/templates/leads.sh.tftpl", local.context)
    "${local.paths.programs}/titanium-database-provision" = file("${path.module}/files/provision.sh")
    "${local.paths.programs}/titanium-database-roles"     = templatefile("${path.module}/templates/roles.sh.tftpl", local.context)
    "${local.paths.programs}/titanium-database-backup"    = templatefile("${path.module}/templates/backup.sh.tftpl", local.context)
    "${local.paths.programs}/titanium-patronictl"         = templatefile("${path.module}/templates/patronictl.sh.tftpl", local.context)
  }

  # Debian's units, completed; `systemd/` mirrors /etc/systemd/system.
  units = {
    for file in fileset("${path.module}/systemd", "**") :
    "${var.root}/etc/systemd/system/${file}" => file("${path.module}/systemd/${file}")
  }

  files = concat(
    [for path, content in merge(local.configuration, local.restore_configuration, local.sql, local.units) : { path = path, mode = "0644", content = content }],
    [for path, content in local.programs : { path = path, mode = "0755", content = content }],
  )

  user_data = templatefile("${path.module}/templates/user-data.yml.tftpl", merge(local.context, {
    files            = local.files
    postgres_version = var.postgres_version
    volumes          = var.volumes
  }))
}
