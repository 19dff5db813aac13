"""What several tests of recordings use."""

from chromium import chromium  # noqa: F401 (a fixture)
from report_page import open_report  # noqa: F401 (a fixture)
from s3_bucket import s3  # noqa: F401 (a fixture)
