"""The Wyoming protocol, with which Home Assistant and other programs for a house have texts spoken.

Why apart from the WebSockets: a client opens a bare TCP connection and sends no key, and the package `wyoming` is optional.
`app.api.live.open_wyoming` imports the modules here only where a setting asks for them; `app.server` accepts the connections.
"""
