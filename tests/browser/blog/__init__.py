"""The blog in a browser: one platform and one chromium for all of these modules."""
