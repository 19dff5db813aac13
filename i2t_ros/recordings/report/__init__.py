"""The report: one page that shows what recordings show, in a browser and without a server."""
