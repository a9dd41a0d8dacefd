"""
How a page is made: its template, the words of the reader's language, and the way to the other one.

It knows no page in particular, and reads nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.templating import Jinja2Templates

from api.console.words import choose, other, said, words
from api.deps import Reading
from api.moments import moment_text

TEMPLATES: Final = Jinja2Templates(directory=Path(__file__).parent / "templates")
TEMPLATES.env.filters["moment"] = moment_text
TEMPLATES.env.filters["said"] = said
LANGUAGE_COOKIE: Final = "language"


def language_of(request: Request) -> str:
    """Return the language that a request is answered in."""
    return choose(
        asked=request.query_params.get("lang"),
        remembered=request.cookies.get(LANGUAGE_COOKIE),
        accepted=request.headers.get("accept-language", ""),
    )


def render(
    request: Request,
    template: str,
    page: Mapping[str, Any],
    *,
    reading: Reading | None = None,
    status: int = 200,
) -> Response:
    """Return a page; with a reading it says as of which block."""
    language = language_of(request)
    another = other(language)
    context = {
        "w": words(language),
        "language": language,
        "other_language": another,
        "language_link": _link_to(request, another),
        "block": None if reading is None else reading.block,
        **page,
    }
    response = TEMPLATES.TemplateResponse(request, template, context, status_code=status)
    if request.query_params.get("lang") == language:
        response.set_cookie(LANGUAGE_COOKIE, language, samesite="lax", httponly=True)
    return response


def _link_to(request: Request, language: str) -> str:
    """Return the address of the same page, with all that was asked, in another language."""
    asked = [(name, one) for name, one in request.query_params.multi_items() if name != "lang"]
    return "?" + urlencode([*asked, ("lang", language)])
