"""How the API listens: sockets, connections, HTTP/1.1."""
