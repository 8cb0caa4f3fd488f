"""A site is one SAE, so all that is known of it has as many features."""

from collections.abc import Mapping

from analysis.errors import DataError


def check_width(site: str, said: Mapping[str, int]) -> None:
    """Refuse numbers of features that differ.

    Parameters
    ----------
    site
        Id of the site.
    said
        By where it is said, such as ``in the database``, the number of features.

    Raises
    ------
    DataError
        Not all say the same.
    """
    if len(set(said.values())) > 1:
        widths = " and ".join(f"{width} features {where}" for where, width in said.items())
        raise DataError(
            f"{site} has {widths}; a site is one SAE: sample the other one under another source name"
        )
