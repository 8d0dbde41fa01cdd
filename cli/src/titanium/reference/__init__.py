"""The public API's reference: one OpenAPI document and one page, generated from the services."""
