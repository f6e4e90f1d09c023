"""Charts as SVG text, written out by hand. Reads nothing, and knows nothing of what the figures mean.

A few small pictures are not worth a plotting library in the lock, and the same figures give the same bytes, so that a
change of a picture is a change of a figure.
"""

from fsoc.charts.bars import bars, counts
from fsoc.charts.curve import Point, curve
from fsoc.charts.frame import Axes
from fsoc.charts.lines import lines
from fsoc.charts.ranges import Range, ranges

__all__ = ["Axes", "Point", "Range", "bars", "counts", "curve", "lines", "ranges"]
