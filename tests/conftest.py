"""What every test shares."""

import pytest

import stratigraph

# Imported first for its effect on how threads wait; see there.
assert stratigraph


# before xdist reads the groups
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process; all of the demo's, which is run once for them."""
    for item in items:
        file = item.path
        item.add_marker(pytest.mark.xdist_group("demo" if file.parent.name == "demo" else str(file)))
