"""HTTP: one package for each step from a request to its answer.

`routes` answer; `requests` and `responses` translate between bytes and values; `middleware` stands around every route;
`openapi` describes the routes; `dependencies` lists the objects that handlers ask for. Two modules collect what the log and the
metrics report of a request.

Why `requests` and `responses` do not import each other: a route alone knows which answer belongs to which request.
"""
