mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-2" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  name         = "titanium"
  instance_ids = { database-1 = "i-0123456789abcdef0" }
  node_groups  = { titanium = { application = { min = 0, max = 4, desired = 3 } } }
}

run "the_database_starts_first_and_stops_last" {
  command = plan

  assert {
    condition = output.expressions == {
      start-database                        = "cron(0 9 ? * MON-FRI *)"
      start-nodes-titanium-application      = "cron(15 9 ? * MON-FRI *)"
      stop-nodes-titanium-application       = "cron(0 2 ? * TUE-SAT *)"
      stop-database                         = "cron(15 2 ? * TUE-SAT *)"
      stop-nodes-again-titanium-application = "cron(30 2 ? * TUE-SAT *)"
    }
    error_message = jsonencode(output.expressions)
  }
}

run "disabled_schedules_stay_there" {
  command = plan

  variables {
    enabled = false
  }

  assert {
    condition     = alltrue([for schedule in aws_scheduler_schedule.this : schedule.state == "DISABLED"])
    error_message = "all disabled"
  }
}

run "a_unix_cron_line_is_refused" {
  command = plan

  variables {
    start = "cron(0 9 * * MON-FRI)"
  }

  expect_failures = [var.start]
}

run "both_day_fields_are_refused" {
  command = plan

  variables {
    stop = "cron(0 2 * * TUE-SAT *)"
  }

  expect_failures = [var.stop]
}

run "an_hour_that_does_not_exist_is_refused" {
  command = plan

  variables {
    stop = "cron(0 24 ? * TUE-SAT *)"
  }

  expect_failures = [var.stop]
}

run "a_minute_too_late_for_the_second_tier_is_refused" {
  command = plan

  variables {
    start = "cron(55 9 ? * MON-FRI *)"
  }

  expect_failures = [var.stagger_minutes]
}

run "an_abbreviated_time_zone_is_refused" {
  command = plan

  variables {
    timezone = "KST"
  }

  expect_failures = [var.timezone]
}

# All at once: each is named, not the first alone.
run "every_other_mistake_is_refused" {
  command = plan

  variables {
    name            = "titanium schedule"
    stagger_minutes = 0
    node_groups     = { titanium = { application = { min = 0, max = 2, desired = 3 } } }
  }

  expect_failures = [var.name, var.stagger_minutes, var.node_groups]
}
