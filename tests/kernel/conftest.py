"""Fixtures of the kernel: a clock that stands still, and access to a node with one reader."""

import pytest

from kernel.access import Access, NewAccount, Role
from kernel.clock import ManualClock
from kernel.database import Database
from tests.support.access import HOME, PASSWORD, opened


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def access(database: Database, clock: ManualClock) -> Access:
    return opened(database, clock)


@pytest.fixture
def huong(access: Access) -> str:
    access.accounts.create(NewAccount("bs.huong", [Role.READER], display="Bs. Hương"), PASSWORD, by="test")
    return "bs.huong"


@pytest.fixture
def cookie(access: Access, huong: str) -> str:
    return access.open_session(access.authenticate_password(huong, PASSWORD, HOME), HOME)
