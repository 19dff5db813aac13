"""report.html: a page about recordings that needs no other file and no server."""
