# Profile light, which is also what the variables default to: everything that the platform needs,
# once, in three zones, stopped at night and at weekends. 421 USD a month; 556 without the schedule:
#   titanium cost terraform/environments/aws --var-file terraform/environments/aws/light.tfvars \
#       --schedule office-hours --budget 450
nat       = "one"  # the loss of its zone cuts the others off from the internet, not from visitors
endpoints = ["s3"] # free

node_groups = {
  application = {
    # 6 CPUs and 24 GiB: platform and add-ons request about 5.3 and 14. Graviton costs a fifth less.
    instance_types = ["t4g.large"]
    arch           = "arm64"
    min            = 0 # the schedule's nights
    max            = 5
    desired        = 3
    disk_gib       = 30
  }
}
control_plane_log_types = ["audit", "authenticator"] # who did what; the rest is bulk

database_mode          = "patroni"
database_instance_type = "t4g.medium"
database_node_count    = 3
database_gib           = 20

cache_node_type = "cache.t4g.micro"
cache_replicas  = 0 # its loss slows the platform and loses nothing

office_hours = true
