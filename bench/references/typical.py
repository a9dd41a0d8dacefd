"""
A typical small service of the same job: FastAPI and SQLModel, written as their tutorials show it.

`python -m bench.references.typical DATABASE PORT`; the same record by id as ours, on the same rows.
"""

import sys
from collections.abc import Iterator
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, create_engine


class Right(SQLModel, table=True):
    """A right, one column per field."""

    right_id: str = Field(primary_key=True)
    asset_id: str = Field(index=True)
    asset_version: int
    certificate_id: str
    parent_right_id: str
    holder: str = Field(index=True)
    kinds: int
    valid_from: int
    valid_until: int
    exclusive: bool
    may_sub_grant: bool
    share_bps: int
    purposes: int
    region: int
    terms_hash: str
    revoked_at: int
    recorded_at_block: int


def make_app(database: str) -> FastAPI:
    """Return the application on a file."""
    engine = create_engine(f"sqlite:///{database}")
    app = FastAPI()

    def session() -> Iterator[Session]:
        with Session(engine) as found:
            yield found

    @app.get("/rights/{right_id}", response_model=Right)
    def read(right_id: str, session: Annotated[Session, Depends(session)]) -> Right:
        found = session.get(Right, right_id)
        if found is None:
            raise HTTPException(status_code=404, detail="Right not found")
        return found

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[1]), port=int(sys.argv[2]), log_level="error", access_log=False)
