"""How the API listens: sockets, connections, and HTTP/1.1 and 1.0.

Why Koe has its own protocol class on top of uvicorn's: it limits headers, bodies and times, and answers a refused request like
every other one.
"""
