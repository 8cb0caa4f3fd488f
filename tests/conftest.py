"""What every test shares."""

import stratigraph
from tests.graphdb.stores import servers

# Imported first for its effect on how threads wait; see there.
assert stratigraph

__all__ = ["servers"]
