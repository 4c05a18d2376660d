"""What hangs together, and ruled lines."""

import numpy as np
import pytest

from nnlib.pictures.regions import bounds, grown, largest, without_lines


def picture(rows):
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_parts_hang_together_by_a_side_or_a_corner():
    mask = picture(["##......", "..#.....", ".......#"])
    thing = largest(mask, np.ones(mask.shape))
    assert thing.mask.tolist() == picture(["##......", "..#.....", "........"]).tolist()
    assert thing.others == 1


def test_a_small_part_that_is_near_belongs_to_it():
    mask = np.zeros((60, 60), bool)
    mask[10:40, 10:20] = True
    mask[10:13, 22:32] = True  # the bar of a 5, two pixels away
    mask[50:53, 40:50] = True  # another, far away
    thing = largest(mask, np.ones(mask.shape))
    assert thing.mask[11, 25]
    assert not thing.mask[51, 45]
    assert thing.others == 0  # a tenth of the ink is no thing


def test_parts_above_each_other_are_nearer_than_parts_beside_each_other():
    above, beside = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    above[10:20, 10:40] = above[25:33, 10:40] = True
    beside[10:40, 10:20] = beside[10:40, 25:33] = True
    assert largest(above, np.ones(above.shape)).mask.sum() == 300 + 240
    thing = largest(beside, np.ones(beside.shape))
    assert (thing.mask.sum(), thing.others) == (300, 1)


def framed(around, gap=0):
    """A stroke of 20 x 5 pixels, in a frame of one pixel all around it, or with a gap in it."""
    mask = np.zeros((60, 60), bool)
    mask[20:40, 28:33] = True
    top, left, bottom, right = 20 - around, 28 - around, 40 + around, 33 + around
    mask[top:bottom, [left, right - 1]] = mask[[top, bottom - 1], left:right] = True
    mask[20 : 20 + gap, left] = False
    return mask


@pytest.mark.parametrize("around", [3, 6, 18])  # as a frame with less ink than the stroke, or more
@pytest.mark.parametrize("gap", [0, 4])
def test_a_frame_around_a_thing_is_another_thing(around, gap):
    mask = framed(around, gap)
    thing = largest(mask, np.ones(mask.shape))
    assert bounds(thing.mask) == (28, 20, 33, 40)
    assert thing.others == 1


def test_a_stroke_in_a_row_of_fields():
    mask = np.zeros((60, 200), bool)
    mask[15:50, 10:191:30] = mask[[14, 50], 10:191] = True
    assert mask.sum() > 600
    mask[20:45, 54:57] = True  # 75 pixels
    thing = largest(mask, np.ones(mask.shape))
    assert bounds(thing.mask) == (54, 20, 57, 45)
    assert thing.others == 1


@pytest.mark.parametrize("thickness", [1, 8])  # with less ink than the stroke, or more
def test_a_line_under_a_thing_is_another_thing(thickness):
    mask = np.zeros((60, 60), bool)
    mask[20:40, 28:33] = True
    mask[44 : 44 + thickness, 14:50] = True
    thing = largest(mask, np.ones(mask.shape))
    assert bounds(thing.mask) == (28, 20, 33, 40)
    assert thing.others == 1


def test_the_bars_of_a_5_and_a_2_are_no_lines_under_them():
    over, under = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    over[20:45, 20:34] = under[10:35, 20:34] = True
    over[14:17, 19:44] = under[38:41, 19:35] = True
    for mask in (over, under):
        assert largest(mask, np.ones(mask.shape)).mask.all(where=mask)


@pytest.mark.parametrize("turns", range(4))
def test_a_part_that_is_open_on_one_side_is_no_frame(turns):
    mask = np.zeros((60, 60), bool)
    mask[25:35, 25:35] = True
    mask[[22, 37], 22:38] = mask[22:38, 37] = True
    mask = np.rot90(mask, turns)
    assert largest(mask, np.ones(mask.shape)).mask.all(where=mask)


@pytest.mark.parametrize("flip", [1, -1])
def test_a_bar_that_ends_before_what_is_over_it_is_no_line_under_it(flip):
    mask = np.zeros((60, 60), bool)
    mask[20:40, 24:44] = mask[44:46, 16:41] = True
    mask = mask[:, ::flip]
    assert largest(mask, np.ones(mask.shape)).mask.all(where=mask)


def test_a_dot_in_a_0_makes_it_no_frame():
    mask = framed(9)
    mask[20:40, 28:33] = False
    mask[28:31, 29:32] = True  # less than a tenth of its ink
    assert bounds(largest(mask, np.ones(mask.shape)).mask) == (19, 11, 42, 49)


def test_of_two_things_the_one_with_more_ink_is_taken():
    mask = np.zeros((20, 40), bool)
    mask[5:15, 5:10] = mask[5:15, 25:31] = True
    ink = np.ones(mask.shape)
    thing = largest(mask, ink)
    assert bounds(thing.mask) == (25, 5, 31, 15)
    assert thing.others == 1
    ink[:, :20] = 2
    assert bounds(largest(mask, ink).mask) == (5, 5, 10, 15)


def test_without_ink_there_is_nothing():
    assert largest(np.zeros((5, 5), bool), np.ones((5, 5))) is None
    assert largest(np.ones((5, 5), bool), np.zeros((5, 5))) is None


def test_growing():
    mask = np.zeros((7, 9), bool)
    mask[0, 4] = True
    expected = np.zeros((7, 9), bool)
    expected[:3, 2:7] = True
    np.testing.assert_array_equal(grown(mask, 2, 2), expected)


def ruled(angle=0.0, size=200, thickness=2, up=0):
    y, x = np.mgrid[:size, :size]
    return (y - np.tan(np.radians(angle)) * (x - size / 2) + up) % 50 < thickness


def test_lines_are_left_out_where_no_stroke_crosses_them():
    for angle in (0, 3, -7):
        mask = ruled(angle)
        mask[60:170, 90:102] = True
        without, lines = without_lines(mask)
        assert lines == (True, False)
        assert without[60:170, 92:100].all()
        without[60:170, 85:107] = False
        assert without.sum() < 0.06 * mask.sum(), angle  # of lines that soon leave the picture


@pytest.mark.parametrize("angle", [2, 4, -5, 7])
def test_a_line_is_left_out_to_where_it_runs_out_of_the_picture(angle):
    mask = ruled(angle)
    assert not without_lines(mask)[0].any()
    assert not without_lines(mask[::-1, ::-1])[0].any()


def test_a_line_that_only_crosses_a_corner_is_left_out():
    for up in range(0, 50, 4):
        assert not without_lines(ruled(-7, up=up))[0].any(), up


def test_squared_paper():
    mask = ruled() | ruled().T
    without, lines = without_lines(mask)
    assert lines == (True, True)
    assert not without.any()


def test_a_lone_stroke_down_is_a_1_and_no_line():
    mask = np.zeros((100, 80), bool)
    mask[:, 38:42] = True
    without, lines = without_lines(mask)
    assert lines == (False, False)
    assert without.all(where=mask)


def test_the_bar_of_a_7_is_no_line():
    mask = np.zeros((100, 100), bool)
    mask[20:24, 12:90] = True
    assert without_lines(mask)[0].all(where=mask)
