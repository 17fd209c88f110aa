"""What the columns of a survey file mean: items, their codes and missing codes, and the other variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from psm_analysis._options import ColumnRole
from psm_analysis.instruments.model import Instrument, Text


@dataclass(frozen=True, slots=True)
class ItemColumn:
    """One column of the file that holds the answers to one item.

    Parameters
    ----------
    item, column
        Item id of the instrument, and name of the column in the file.
    codes
        Answer as written in the file to code, for example ``{"非常同意": 5}`` or ``{"0": 1}``.
    missing
        Codes that mean "no answer" in this column, on top of those of the whole codebook.
    reverse
        Whether this questionnaire words the item against the direction of the scale; None: as the instrument says.
    already_reversed
        Whether the file holds values that somebody has reversed; reading turns them back to the answers given.
    """

    item: str
    column: str
    codes: Mapping[str, float] = field(default_factory=dict, hash=False)
    missing: tuple[float, ...] = ()
    reverse: bool | None = None
    already_reversed: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of the file that is not an item.

    Parameters
    ----------
    name, column
        Name in the wave, and name of the column in the file.
    role
        id, wave, weight, group, cluster, covariate, response_time (total, in seconds) or attention.
    label
        Name to print, in English and Chinese.
    codes
        Answer as written in the file to code.
    values
        Code to its label in English and Chinese.
    missing
        Codes that mean "no answer".
    correct
        For an attention check: the codes that pass it.
    """

    name: str
    column: str
    role: ColumnRole
    label: Text
    codes: Mapping[str, float] = field(default_factory=dict, hash=False)
    values: Mapping[str, Text] = field(default_factory=dict, hash=False)
    missing: tuple[float, ...] = ()
    correct: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Codebook:
    """The frozen description of one survey file.

    Parameters
    ----------
    name, version
        What the codebook calls the survey.
    instruments
        The instruments that were used.
    items, variables
        The columns.
    missing_codes, missing_texts
        Codes and cells that mean "no answer" in every column.
    profile
        Export profile of the file.
    response_time_items
        Number of questions that the response time covers; None: the number of items.
    declared
        Whether somebody wrote it; False for the one made from item ids when no codebook is given.

    See Also
    --------
    psm_analysis.survey.codebook_toml.read_codebook : read it from a TOML file.
    """

    name: str
    version: str
    instruments: tuple[Instrument, ...]
    items: tuple[ItemColumn, ...]
    variables: tuple[Variable, ...] = ()
    missing_codes: tuple[float, ...] = ()
    missing_texts: tuple[str, ...] = ()
    profile: str = "plain"
    response_time_items: int | None = None
    declared: bool = True

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Ids of the items, in the order of the codebook."""
        return tuple(item.item for item in self.items)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the file that the codebook names."""
        return (*(item.column for item in self.items), *(variable.column for variable in self.variables))

    def named(self, role: ColumnRole) -> tuple[str, ...]:
        """Return the names of the variables with the role `role`."""
        return tuple(variable.name for variable in self.variables if variable.role == role)

    def variable(self, name: str) -> Variable | None:
        """Return the variable called `name`, or None."""
        return next((variable for variable in self.variables if variable.name == name), None)

    def item(self, item: str) -> ItemColumn | None:
        """Return the column of the item `item`, or None."""
        return next((column for column in self.items if column.item == item), None)


def codebook_from_ids(
    instruments: Iterable[Instrument], columns: Iterable[str], *, profile: str = "plain", roles: Mapping[str, str]
) -> Codebook:
    """Make the codebook of a file whose columns are named by item ids (capital letters do not matter).

    Parameters
    ----------
    instruments
        The instruments that were used.
    columns
        The columns of the file.
    profile
        Export profile of the file.
    roles
        Columns whose role the profile states, for example the identifier.
    """
    chosen = tuple(instruments)
    present = list(columns)
    by_lower = {column.lower(): column for column in reversed(present)}
    ids = dict.fromkeys(item for instrument in chosen for item in instrument.item_ids)
    items = tuple(ItemColumn(item, item if item in present else by_lower.get(item.lower(), item)) for item in ids)
    taken = {item.column for item in items}
    variables = tuple(
        Variable(column, column, "id" if role == "id" else "response_time", Text(column, column))
        for column, role in roles.items()
        if column in present and column not in taken
    )
    return Codebook(
        name="columns named by item ids",
        version="",
        instruments=chosen,
        items=items,
        variables=variables,
        profile=profile,
        declared=False,
    )
