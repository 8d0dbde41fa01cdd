output "schedule_arns" {
  description = "Schedule name => ARN."
  value       = { for name, schedule in aws_scheduler_schedule.this : name => schedule.arn }
}

output "expressions" {
  description = "Schedule name => when it fires, in the module's time zone."
  value       = { for name, schedule in aws_scheduler_schedule.this : name => schedule.schedule_expression }
}

output "timezone" {
  description = "The expressions' time zone."
  value       = var.timezone
}

output "failed_calls_queue_url" {
  description = "Where calls go that AWS could not make."
  value       = aws_sqs_queue.failed.url
}
