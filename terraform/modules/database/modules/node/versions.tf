terraform {
  # No provider: this module only renders text, so that tests can do the same without AWS.
  required_version = ">= 1.9"
}
