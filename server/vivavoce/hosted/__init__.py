"""Models on other machines: reached over HTTP, spoken and listened to like our own. Holds no engine."""

import sniffio  # noqa: F401  # now: httpcore imports it when it is first asked, which reads the disk on the event loop
