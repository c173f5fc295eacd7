"""Statistics: how many reports, of which kind, to where, how fast and how, without telling of anyone."""

from fiksmelding.statistics.counting import count, look_up_names
from fiksmelding.statistics.published import Published, Row, Table, published
from fiksmelding.statistics.suppression import THRESHOLD
from fiksmelding.statistics.tally import Tally, merged

__all__ = ["THRESHOLD", "Published", "Row", "Table", "Tally", "count", "look_up_names", "merged", "published"]
