from __future__ import annotations

from fondation.graph.labels import placed
from fondation.graph.lines import Curve, Line, Point
from fondation.graph.placing import Box


def level(y: float, left: float = 0, right: float = 300) -> Line:
    third = (right - left) / 3
    return Line((Curve(Point(left, y), Point(left + third, y), Point(right - third, y), Point(right, y)),))


def middle(box: Box | None) -> tuple[float, float]:
    assert box is not None
    return round(box.x + box.width / 2, 6), round(box.middle, 6)


def test_a_label_stands_in_the_middle_of_its_line() -> None:
    (label,) = placed([level(50)], [20], 18, [])
    assert label is not None
    assert (middle(label), label.width, label.height) == ((150, 50), 20, 18)


def test_a_line_without_one_has_none() -> None:
    assert placed([level(50), level(80)], [0, 20], 18, [])[0] is None


def test_it_keeps_off_boxes() -> None:
    (label,) = placed([level(50)], [20], 18, [Box(120, 0, 60, 100)])
    assert middle(label)[0] not in range(110, 190)


def test_labels_keep_off_each_other() -> None:
    one, other = placed([level(50), level(56)], [40, 40], 18, [])
    assert one is not None
    assert other is not None
    assert one.right <= other.x or other.right <= one.x


def test_it_keeps_off_other_lines() -> None:
    crossing = Line((Curve(Point(150, 0), Point(150, 30), Point(150, 70), Point(150, 100)),))
    label, _ = placed([level(50), crossing], [20, 0], 18, [])
    assert middle(label)[0] < 140


def test_it_keeps_off_the_heads_of_arrows() -> None:
    label, _ = placed([level(50), level(52, left=0, right=157)], [20, 0], 18, [])
    assert label is not None
    assert label.right <= 143 or label.x >= 157


def test_where_there_is_no_room_it_stands_all_the_same() -> None:
    (label,) = placed([level(50)], [20], 18, [Box(0, 0, 300, 100)])
    assert middle(label) == (150, 50)
