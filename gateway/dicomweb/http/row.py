"""One row of the route table."""

from typing import NamedTuple

from gateway.dicomweb.http.endpoint import Handler
from kernel.access import Scope


class Row(NamedTuple):
    """One route."""

    method: str
    path: str
    handler: Handler
    scope: Scope
    stage: str  # under which its time is counted
    is_quick: bool = False  # often answered from memory alone
