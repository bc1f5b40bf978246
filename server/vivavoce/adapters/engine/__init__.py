"""The task protocol of the services that the hosted routes stand in for: an engine sends tasks, object storage holds
what goes in and out. An extra, `[engine]`; the server starts without it."""
