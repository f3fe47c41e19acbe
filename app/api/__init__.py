"""HTTP: one package for each step from a request to its answer.

`routes` answer; `requests` and `responses` translate between bytes and values; `middleware` wraps every route; `openapi`
describes the routes; `dependencies` lists the objects that handlers receive. `facts` and `measures` collect what the log and
the metrics report about requests.

Why `requests` and `responses` do not import each other: only a route knows which answer belongs to which request.
"""
