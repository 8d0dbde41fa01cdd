"""What a post, a category and a search are; imports no framework and no driver."""
