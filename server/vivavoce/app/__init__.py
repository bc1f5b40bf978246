"""Where everything is wired together: settings become a generator, or a whole server."""
