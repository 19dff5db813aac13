"""What several tests of recordings use."""

from chromium import chromium  # noqa: F401 (a fixture)
from report_page import open_report  # noqa: F401 (a fixture)
