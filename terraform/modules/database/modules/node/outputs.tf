output "user_data" {
  description = "cloud-config of this node; give it to the instance gzipped, it is longer than 16 KiB allow."
  value       = local.user_data

  precondition {
    condition     = contains(keys(var.nodes), var.name)
    error_message = "name: ${var.name} is not one of the nodes (${join(", ", keys(var.nodes))})."
  }
}

output "files" {
  description = "The files that user data writes: list of { path, mode, content }."
  value       = local.files
}

output "paths" {
  description = "Where everything is on this node."
  value       = local.paths
}

output "health_check" {
  description = "How the load balancer asks Patroni who leads. Five seconds and two answers are the least that an NLB allows."
  value = {
    protocol            = "HTTPS"
    port                = var.ports.patroni
    writer_path         = "/primary"
    reader_path         = "/replica"
    matcher             = "200"
    interval            = 5
    timeout             = 4
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}
