"""Models on other machines: reached over HTTP, spoken and listened to like our own. Holds no engine."""
