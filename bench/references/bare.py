"""
The least that can answer with a row: Starlette, sqlite3 and orjson, no model and no OpenAPI.

`python -m bench.references.bare DATABASE PORT`; the same rows as `bench.references.typical`.
"""

import sqlite3
import sys

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def make_app(database: str) -> Starlette:
    """Return the application on a file."""
    connection = sqlite3.connect(database, check_same_thread=False)
    connection.row_factory = sqlite3.Row

    async def read(request: Request) -> Response:
        query = 'SELECT * FROM "right" WHERE right_id = ?'
        row = connection.execute(query, (request.path_params["right_id"],)).fetchone()
        if row is None:
            return Response(status_code=404)
        return Response(orjson.dumps(dict(row)), media_type="application/json")

    return Starlette(routes=[Route("/rights/{right_id}", read)])


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[1]), port=int(sys.argv[2]), log_level="error", access_log=False)
