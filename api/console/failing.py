"""
What people are shown when a page cannot be: a page, where programs are told a problem.

Which error is which problem is `api.problems`'; here it only gets the console's look and words.
"""

import json
from collections.abc import Callable
from typing import Any, Final, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.console.rendering import language_of, render
from api.console.words import words
from chain.failure import LedgerError

# Whoever asks the API is told a problem, with a browser too: its answers are JSON anyway.
FOR_PROGRAMS: Final = ("/v1/", "/problems/")

Answer = Callable[[Request, Any], Response]


def answer_people(app: FastAPI) -> None:
    """Let an application answer failures with a page, where one is asked for."""
    for kind in (LedgerError, RequestValidationError, HTTPException, Exception):
        answer = cast("Answer", app.exception_handlers[kind])
        app.add_exception_handler(kind, _for_people(answer))


def failure_page(request: Request, slug: str, status: int) -> Response:
    """Return the page that tells people of a problem."""
    known = words(language_of(request))
    page = {
        "title": known["problem.title" if status == 404 else "problem.failed"],
        "text": known.get(f"problem.{slug}", known["problem.other"]),
    }
    return render(request, "problem.html", page, status=status)


def _for_people(answer: Answer) -> Answer:
    def answered(request: Request, error: Exception) -> Response:
        told = answer(request, error)
        if not _is_for_people(request):
            return told
        slug = json.loads(bytes(told.body))["type"].rsplit("/", 1)[-1]
        return failure_page(request, slug, told.status_code)

    return answered


def _is_for_people(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and not request.url.path.startswith(FOR_PROGRAMS)
