"""What a Terraform plan costs a month: `titanium cost`.

`documents` reads what `terraform show -json` writes, `catalog` the dated prices, `usage` how much
people expect to use. `pricing` holds one function a resource type, `estimate` runs them over a
plan; a resource that none of them and no line of the catalogue covers ends the run. `compare`
makes differences, `show` the five formats, `explain` the source documents' figures again.
"""
