"""What every test shares."""

import stratigraph

# Imported first for its effect on how threads wait; see there.
assert stratigraph
