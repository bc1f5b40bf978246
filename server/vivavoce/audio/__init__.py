"""Arrays in, arrays or bytes out: chunks, resampling, time stretching, encoding. No clock, socket or thread."""
