"""Viva Voce on many machines, with Ray Serve: the extra `[cluster]`.

    Door    routes, sockets, calls, encoders, the assistant: the whole server, with a remote speaker and listener
    Mouth   the synthesizer, one for each few cores: loads voices, admits, computes
    Ear     the transcriber, likewise

Placement, health, restarts, scaling and routing are Ray Serve's. Only `application.py` and what it deploys import Ray;
the rest of the room is the two borders, `Speaker` and `Listener`, over any way to reach a Mouth or an Ear.
"""
