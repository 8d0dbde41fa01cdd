"""The web pages under `/blog/`: rendered here, readable without JavaScript."""
