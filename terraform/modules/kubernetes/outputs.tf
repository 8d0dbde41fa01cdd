output "cluster_name" {
  description = "The cluster's name, for aws eks update-kubeconfig."
  value       = var.name
}

output "endpoint" {
  description = "The API server's address."
  value       = local.eks ? aws_eks_cluster.this[0].endpoint : "https://${aws_lb.api[0].dns_name}:6443"
}

output "ca" {
  description = "The API server's authority, base64 (mode eks; kubeadm makes its own, kept in Secrets Manager)."
  value       = local.eks ? aws_eks_cluster.this[0].certificate_authority[0].data : null
}

output "oidc_provider_arn" {
  description = "What roles of service accounts trust (mode eks)."
  value       = one(aws_iam_openid_connect_provider.this[*].arn)
}

output "node_security_group_id" {
  description = "Group of the nodes and of their pods."
  value       = local.node_security_group_id
}

output "node_group_names" {
  description = "Group key => name of the EKS node group or of the Auto Scaling group."
  value = merge(
    { for key, group in aws_eks_node_group.this : key => group.node_group_name },
    { for key, group in aws_autoscaling_group.worker : key => group.name },
  )
}

output "node_group_sizes" {
  description = "EKS node group => sizes while it runs, as module schedule takes them."
  value = {
    for key, group in aws_eks_node_group.this : group.node_group_name => {
      min     = var.node_groups[key].min
      max     = var.node_groups[key].max
      desired = var.node_groups[key].desired
    }
  }
}

output "role_arns" {
  description = "Role key of service_accounts => ARN, for the annotation eks.amazonaws.com/role-arn."
  value       = { for key, role in aws_iam_role.service_account : key => role.arn }
}

output "node_role_arn" {
  description = "Role of the nodes."
  value       = aws_iam_role.node.arn
}

output "control_plane_instance_ids" {
  description = "Instances of the control plane (mode kubeadm)."
  value       = aws_instance.control_plane[*].id
}

output "kubeconfig_secret_arn" {
  description = "Secret with the administrator's kubeconfig (mode kubeadm)."
  value       = one(aws_secretsmanager_secret.kubeconfig[*].arn)
}
