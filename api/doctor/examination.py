"""
The whole examination, in the order in which one mends: the program first, what depends on it later.
"""

from collections.abc import Iterator, Mapping

from api.config import Told
from api.doctor.chain import examine_chain, examine_engines
from api.doctor.content import examine_content
from api.doctor.findings import Finding, bad
from api.doctor.home import examine_backups, examine_home
from api.doctor.mirror import examine_mirror
from api.doctor.program import examine_program, examine_settings
from api.doctor.serving import examine_serving


def examine(told: Told, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Return everything that was found, as it is found."""
    settings = told.settings
    yield from examine_program()
    for part in (
        examine_settings(told, environment),
        examine_home(settings),
        examine_chain(settings),
        examine_mirror(settings),
        examine_content(settings),
        examine_serving(settings),
        examine_backups(settings),
        examine_engines(dict(environment)),
    ):
        yield from _whole(part)


def _whole(part: Iterator[Finding]) -> Iterator[Finding]:
    """Go on with the other parts where the system does not let us look."""
    try:
        yield from part
    except OSError as error:
        yield bad("system", "refused", path=error.filename or "", reason=error.strerror or error)
