"""What is to be tried: settings, from overrides of parameters as `dvc exp run -S` takes them.

Their grammar is Hydra's, https://hydra.cc/docs/advanced/override_grammar/extended. What DVC takes
has the same meaning here; a + that DVC wants before what is new may be left out.
"""

import difflib
import hashlib
import itertools
import json
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

import numpy as np
from dvc.utils.collections import merge_dicts
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    Override,
    RangeSweep,
    Sweep,
)
from hydra.errors import HydraException

from nnlib.base.errors import UserError, shown
from stages.params import Params, check_params, is_whole, leaves

SWEPT = ("data", "normalize", "train")  # the sections that a training depends on
NOT_SWEPT = {
    "train.seed": "SEEDS says how many seeds each setting gets",
    "train.evaluate_every": "it does not change what is learned",
}
EXAMPLE = 'OVER="train.hidden_size=25,50 train.learning_rate=0.1,0.2"'
QUOTED = """values with spaces need quotes: OVER="train.learning_rate='0.1, 0.2'\""""
MOST_VALUES = 1_000_000  # of a parameter
DIGITS = 4  # of what is drawn from an interval


class Setting(NamedTuple):
    """A choice of parameters."""

    swept: dict[str, Any]  # values of the parameters that differ among the settings, by their names
    changes: dict[str, Any]  # all values that are set, in the order in which they are merged
    params: Params  # all
    same: list[dict[str, Any]]  # other values of those that differ, which lead to the same params

    @property
    def fixed(self) -> dict[str, Any]:
        """Values that are set, and are the same in all settings."""
        return {key: value for key, value in self.changes.items() if key not in self.swept}

    @property
    def work(self) -> Hashable:
        """What decides how much the training computes: of a real number, only whether it is 0."""
        return tuple(
            (key, value != 0 if isinstance(value, float) else value)
            for section in SWEPT
            for key, value in leaves(getattr(self.params, section).model_dump())
        )


def count_settings(overrides: Sequence[Override], samples: int | None) -> int:
    """How many settings there are."""
    if samples is not None:
        return samples
    return math.prod(len(_values(override)) for override in overrides)


def parse_overrides(texts: Sequence[str], defaults: Params) -> list[Override]:
    """Read overrides.

    Raises
    ------
    UserError
        If there is none, or one that is not such an override, or not one of a parameter on which a
        training depends.
    """
    values = defaults.model_dump()
    overrides = []
    for text in texts:
        _check_key(text, values)
        overrides.append(_parse(text))
    if not any(override.is_sweep_override() for override in overrides):
        raise UserError(
            f"nothing to sweep over: OVER takes parameters with several values each, as {EXAMPLE}"
        )
    keys = [override.key_or_group for override in overrides]
    for key in keys:
        if keys.count(key) > 1:
            raise UserError(f"{key} is given twice")
    return overrides


def _check_key(text: str, defaults: Mapping[str, Any]) -> None:
    """Raise a UserError unless an override sets a parameter on which a training depends."""
    name, equals, _ = text.partition("=")
    text = shown(text)
    if name.startswith("~") or "@" in name:
        raise UserError(f"{text}: a sweep sets parameters; it cannot remove or move them")
    if not equals:
        raise UserError(f"{text}: this is not PARAMETER=VALUES, as in {EXAMPLE}; {QUOTED}")
    key = name.removeprefix("+").removeprefix("+")
    parent, _, _ = key.rpartition(".")
    sections = [*_inner_sections(defaults)]
    known = [*sections, *(parameter for parameter, _ in leaves(defaults))]
    if key not in known and not (name.startswith("+") and parent in sections):
        near = difflib.get_close_matches(key, known, 1)
        hint = f"; did you mean {near[0]}?" if near else "; params.yaml lists them"
        raise UserError(f"{text}: there is no parameter {shown(key)}{hint}")
    if key in NOT_SWEPT:
        raise UserError(f"{text}: {key} cannot be swept over: {NOT_SWEPT[key]}")
    if key.partition(".")[0] not in SWEPT:
        raise UserError(f"{text}: {key} does not change a training, so there is nothing to compare")


def _parse(text: str) -> Override:
    """Read an override."""
    if "${" in text:
        raise UserError(
            f"{shown(text)}: a sweep takes values, and no reference to other parameters"
        )
    try:
        override = OverridesParser.create().parse_override(text)
    except (HydraException, ValueError, RecursionError) as error:
        reason, _, _ = " ".join(str(error).split()).partition(" expecting {")
        hint = f"; {QUOTED}" if " input " in reason else ""  # it may be a part of one
        raise UserError(f"{shown(text)} cannot be read: {shown(reason)}{hint}") from error
    if any(isinstance(each, Sweep | Glob) for each in _inside(override.value())):
        raise UserError(f"{shown(text)}: a choice, a range or an interval stands by itself")
    return override


def _inside(value: object) -> Iterator[object]:
    """All that a choice, a list or a section holds."""
    inside = value.list if isinstance(value, ChoiceSweep) else value
    if isinstance(inside, dict):
        inside = list(inside.values())
    if isinstance(inside, list):
        for each in inside:
            yield each
            yield from _inside(each)


def _inner_sections(params: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The name of each section in another, such as `train.optimizer`."""
    for key, value in params.items():
        if isinstance(value, dict):
            if prefix:
                yield f"{prefix}{key}"
            yield from _inner_sections(value, f"{prefix}{key}.")


def make_settings(
    overrides: Sequence[Override], defaults: Params, *, samples: int | None = None
) -> list[Setting]:
    """All combinations of the values, or so many drawn at random.

    Parameters
    ----------
    overrides : sequence of Override
        As `parse_overrides` gives them.
    defaults : Params
        What they override.
    samples : int, optional
        How many settings to draw. The first ones are the same whatever their number.

    Returns
    -------
    list of Setting, no two with the same parameters, in an order that does not depend on that of
    the overrides

    Raises
    ------
    UserError
        If a parameter has no value or, without `samples`, an interval of them, or if a setting is
        not valid.
    """
    by_key = sorted(overrides, key=lambda override: override.key_or_group)
    keys = [override.key_or_group for override in by_key]
    combinations: Iterator[tuple[Any, ...]]
    if samples is None:
        combinations = itertools.product(*map(_values, by_key))
    else:
        # each setting from a generator of its own, so that more of them change none
        drawers = [_drawer(override) for override in by_key]
        generators = map(np.random.default_rng, range(samples))
        combinations = (tuple(draw(rng) for draw in drawers) for rng in generators)
    are_swept = {override.key_or_group for override in overrides if override.is_sweep_override()}
    settings: dict[bytes, Setting] = {}
    for combination in combinations:
        values = dict(zip(keys, combination, strict=True))
        swept = {key: value for key, value in values.items() if key in are_swept}
        changes = {override.key_or_group: values[override.key_or_group] for override in overrides}
        params = _checked(changes, defaults)
        digest = hashlib.sha256(params.model_dump_json().encode()).digest()
        setting = settings.setdefault(digest, Setting(swept, changes, params, []))
        if swept != setting.swept and swept not in setting.same:
            setting.same.append(swept)
    return list(settings.values())


def merge_values(params: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set values in nested sections, in place, as `dvc exp run -S` does.

    A section is merged into the one that is there, of which what it does not name stays.

    Raises
    ------
    UserError
        If a parameter is to be set within one that an earlier value has set to a number or a text.
    """
    for key, value in values.items():
        _check_is_section(params, key)
        nested = value
        for part in reversed(key.split(".")):
            nested = {part: nested}
        merge_dicts(params, nested)


def _check_is_section(params: dict[str, Any], key: str) -> None:
    section: Any = params
    for part in key.split(".")[:-1]:
        section = section.get(part, {})
        if not isinstance(section, dict):
            raise UserError(f"{key}: {part} is set to {shown(value_text(section))}, not a section")


def _checked(changes: Mapping[str, Any], defaults: Params) -> Params:
    """All parameters, with some changed."""
    params = defaults.model_dump()
    merge_values(params, changes)
    name = " ".join(f"{key}={shown(value_text(value))}" for key, value in changes.items())
    return check_params(Params, params, f"with {name}")


def value_text(value: object) -> str:
    """A value as a table shows it; `params.yaml` and Hydra's grammar take it too."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {value_text(each)}' for key, each in value.items())}}}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value)


def _rank(value: object) -> tuple[bool, Any, str]:
    """What values are sorted by: numbers by their size, and then others by their text."""
    is_number = isinstance(value, int | float)
    return not is_number, value if is_number else 0, value_text(value)


def _values(override: Override) -> list[Any]:
    """The values of an override that can be listed, in order."""
    if not override.is_sweep_override():
        return [override.value()]
    text, swept = shown(override.input_line), override.value()
    if isinstance(swept, IntervalSweep):
        raise UserError(f"{text}: an interval has no list of values; SAMPLES=40 draws 40")
    if isinstance(swept, Glob):
        raise UserError(f"{text}: a glob chooses from files, and parameters have none")
    values = _range(swept, text) if isinstance(swept, RangeSweep) else _choices(override)
    listed = list(itertools.islice(values, MOST_VALUES + 1))
    if not 1 <= len(listed) <= MOST_VALUES:
        number = f"more than {MOST_VALUES:,}" if listed else "no"
        raise UserError(f"{text}: {number} values")
    return sorted(listed, key=_rank)


def _choices(override: Override) -> Iterator[Any]:
    """The values of a choice. Hydra gives them as texts, each of which can be overridden with."""
    for text in override.sweep_string_iterator():
        yield _parse(f"{override.key_or_group}={text}").value()


def _range(sweep: RangeSweep, text: str) -> Iterator[float]:
    """The values of a range, without its end. Hydra's own have it, where they add up to less."""
    numbers = sweep.start, sweep.stop, sweep.step
    start, stop, step = (
        Decimal(number if isinstance(number, int) else str(number)) for number in numbers
    )
    if not (start.is_finite() and stop.is_finite() and step.is_finite() and step):
        raise UserError(f"{text}: a range needs finite numbers, and a step other than 0")
    is_all_whole = all(isinstance(number, int) for number in numbers)
    values = itertools.takewhile(
        lambda value: value < stop if step > 0 else value > stop,
        (start + number * step for number in itertools.count()),
    )
    return map(int if is_all_whole else float, values)


def _drawer(override: Override) -> Callable[[np.random.Generator], Any]:
    """A function that draws a value of an override at random."""
    interval = override.value()
    if not isinstance(interval, IntervalSweep):
        values = _values(override)
        return lambda rng: values[rng.integers(len(values))]
    text, is_log = shown(override.input_line), "log" in interval.tags
    low, high = float(interval.start or 0), float(interval.end or 0)
    if not (low < high and math.isfinite(high - low)) or (is_log and low <= 0):
        above = " and start above 0" if is_log else ""
        raise UserError(f"{text}: an interval must end above its start{above}, and be finite")
    to, back = (math.log, math.exp) if is_log else (float, float)

    if is_whole(override.key_or_group) or isinstance(interval.start, int):
        first, last = math.ceil(low), math.floor(high)
        if first > last:
            raise UserError(f"{text}: there is no whole number in the interval")
        ends = to(first - 0.5), to(last + 0.5)  # each whole number gets what rounds to it
        return lambda rng: min(max(round(back(rng.uniform(*ends))), first), last)

    def draw(rng: np.random.Generator) -> float:
        drawn = min(back(rng.uniform(to(low), to(high))), math.nextafter(high, low))
        # Four significant digits of what is logarithmic over a decade or more, otherwise so many
        # that there are 10,000 values or more; downwards, as the end is not one of them.
        unit = 10 * drawn if is_log and high > 10 * low else high - low
        place = Decimal(1).scaleb(math.floor(math.log10(unit)) - DIGITS)
        return max(float(Decimal(drawn).quantize(place, ROUND_FLOOR)), low)

    return draw
