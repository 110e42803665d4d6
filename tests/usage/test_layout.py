from __future__ import annotations

from fondation.usage.layout import lay_out


def table(*names: str, room: int | None = None) -> list[str]:
    return list(lay_out(["User", "Calls"], [[name, "7"] for name in names], ["Total", "14"], names=1, room=room))


def test_names_stand_to_the_left_and_numbers_to_the_right() -> None:
    assert table("ada", "Augusta") == [
        "User    Calls",
        "─────────────",
        "ada         7",
        "Augusta     7",
        "─────────────",
        "Total      14",
    ]


def test_a_table_without_a_footer_ends_with_its_rows() -> None:
    lines = list(lay_out(["User", "Calls"], [["ada", "7"]], None, names=1, room=None))
    assert lines == ["User Calls", "──────────", "ada      7"]


def test_characters_that_take_two_columns_or_none_are_measured_so() -> None:
    assert [line.rindex("7") for line in table("ada", "李", "Ame\u0301lie")[2:5]] == [11, 10, 12]


def test_a_name_is_folded_only_where_there_is_no_room() -> None:
    name = "".join(chr(ord("a") + number % 26) for number in range(60))
    for room in (None, 66):
        assert f"{name}     7" in table(name, room=room)
    assert table(name, room=65)[2:4] == [f"{name[:59]}     7", name[59:]]
    assert table(name, room=20)[2:5] == [f"{name[:28]}     7", name[28:56], name[56:]]


def test_each_name_of_a_line_is_folded_for_itself() -> None:
    lines = list(lay_out(["A", "B", "N"], [["a" * 30, "b" * 50, "1"]], ["Total", "", "1"], names=2, room=10))
    assert lines[2:4] == [f"{'a' * 28} {'b' * 28} 1", f"aa{' ' * 27}{'b' * 22}"]
