"""
Blocks, by which two exchanges compare what they hold: public.
"""

from fastapi import APIRouter

from api.answering.door import quick
from api.asof import BlockNotMirrored
from api.deps import ReadingDep, StepsDep
from api.listing import BLOCK, BLOCK_PAGE, tell_block, tell_blocks
from api.models import Json
from api.parameters import NumberPath
from api.problems import declares

router = APIRouter(prefix="/blocks", tags=["blocks"])


@router.get("", response_model=BLOCK_PAGE, responses=declares())
@quick
def browse(reading: ReadingDep, pages: StepsDep) -> Json:
    """List blocks, the newest first."""
    return tell_blocks(reading, pages)


@router.get("/{number}", response_model=BLOCK, responses=declares(BlockNotMirrored))
@quick
def read(reading: ReadingDep, number: NumberPath) -> Json:
    """Return one block."""
    found = tell_block(reading, number)
    if found is None:
        raise BlockNotMirrored(block_number=number)
    return found
