"""The public names: they resolve, are documented as numpydoc asks, are typed, and keep the house's call conventions."""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

import psm_analysis as psm
from psm_analysis import errors
from psm_analysis._results import Result

NAMES = [name for name in psm.__all__ if name != "__version__"]
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(psm, name))]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(psm, name))]
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def subclasses(thing: type) -> set[type]:
    """Return the results of all public functions, whose modules are loaded by the names above."""
    return {thing}.union(*map(subclasses, thing.__subclasses__()))


# The same in every table and figure, so they are described once, at the top of that page of the reference.
OWN_RESULTS = {thing.__name__ for thing in subclasses(Result)}
LAYOUT = {"title", "number", "note", "labels", "lang"}


def parameters(thing: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(thing).parameters.values())


def documented(section: list[Any]) -> set[str]:
    """Return the names in a Parameters or Attributes section; ``a, b`` are two."""
    return {name.strip().lstrip("*") for entry in section for name in (entry.name or entry.type).split(",")}


def function_doc(thing: Any) -> FunctionDoc:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return FunctionDoc(thing)


def test_public_names_are_sorted_and_resolve() -> None:
    assert psm.__all__ == sorted(psm.__all__)
    assert len(psm.__all__) == len(set(psm.__all__))
    assert set(dir(psm)) == set(psm.__all__)
    assert set(NAMES) == set(FUNCTIONS) | set(CLASSES)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_comes_from_where_the_table_says(name: str) -> None:
    module = import_module(f"psm_analysis.{psm._PUBLIC[name]}")
    assert getattr(psm, name) is getattr(module, name)
    assert getattr(psm, name).__module__ == module.__name__


def test_functions_stay_functions_after_their_packages_are_imported() -> None:
    code = (
        "import importlib, inspect, psm_analysis as psm\n"
        "parts = sorted({path.split('.')[0] for path in psm._PUBLIC.values()})\n"
        "shared = [part for part in parts if part in psm._PUBLIC]\n"
        "for path in psm._PUBLIC.values(): importlib.import_module(f'psm_analysis.{path}')\n"
        "assert {'sem', 'efa'} <= set(shared), shared\n"
        "assert all(inspect.isfunction(getattr(psm, part)) for part in shared)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'cfaa'"):
        _ = psm.cfaa


def test_version_is_text() -> None:
    assert psm.__version__.count(".") == 2


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_at_most_two_positional_parameters(name: str) -> None:
    positional = [p.name for p in parameters(getattr(psm, name)) if p.kind in POSITIONAL]
    assert len(positional) <= 2, positional


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_annotated(name: str) -> None:
    function = getattr(psm, name)
    assert [p.name for p in parameters(function) if p.annotation is inspect.Parameter.empty] == []
    assert inspect.signature(function).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_documented(name: str) -> None:
    function = getattr(psm, name)
    doc = function_doc(function)
    summary = " ".join(doc["Summary"]).strip()
    assert summary, "no summary"
    assert summary[0].isupper() or not summary[0].isalpha()
    assert summary.endswith((".", ":")), summary
    assert doc["Examples"], "no example"
    assert any(line.lstrip().startswith(">>>") for line in doc["Examples"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_of_a_function_is_documented(name: str) -> None:
    function = getattr(psm, name)
    given = {p.name for p in parameters(function)}
    listed = documented(function_doc(function)["Parameters"])
    shared = LAYOUT if function.__module__.startswith("psm_analysis.report.") else set()
    assert given - listed - shared == set(), "not documented"
    assert listed - given == set(), "documented, but no parameter"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_function_returns_is_documented(name: str) -> None:
    function = getattr(psm, name)
    doc = function_doc(function)
    returned = str(inspect.signature(function).return_annotation).split(".")[-1]
    says = " ".join(doc["Summary"])
    own = returned in OWN_RESULTS or returned in ("Table", "Figure")
    assert doc["Returns"] or own or says.startswith("Return ")


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_documented(name: str) -> None:
    thing = getattr(psm, name)
    doc = ClassDoc(thing, config={"show_class_members": False})
    assert " ".join(doc["Summary"]).strip().endswith(".")
    if is_dataclass(thing):
        fields = set(thing.__dataclass_fields__)
        listed = documented(doc["Parameters"]) | documented(doc["Attributes"])
        assert fields - listed == set(), "not documented"


@pytest.mark.parametrize("name", CLASSES)
def test_public_methods_are_documented_and_annotated(name: str) -> None:
    thing = getattr(psm, name)
    for method_name, method in inspect.getmembers(thing, inspect.isfunction):
        if method_name.startswith("_") or not method.__module__.startswith("psm_analysis"):
            continue
        assert inspect.getdoc(method), method_name
        own = [p for p in parameters(method) if p.name not in ("self", "cls")]
        assert len([p for p in own if p.kind in POSITIONAL]) <= 2, method_name
        assert [p.name for p in own if p.annotation is inspect.Parameter.empty] == [], method_name


@pytest.mark.parametrize("name", CLASSES)
def test_properties_are_documented(name: str) -> None:
    members = inspect.getmembers(getattr(psm, name), lambda member: isinstance(member, property))
    assert [member for member, value in members if not member.startswith("_") and not value.__doc__] == []


@pytest.mark.parametrize("name", [name for name in CLASSES if is_dataclass(getattr(psm, name))])
def test_results_and_specifications_are_frozen_and_slotted(name: str) -> None:
    thing = getattr(psm, name)
    assert thing.__dataclass_params__.frozen
    assert "__slots__" in vars(thing)


def test_all_errors_of_the_package_are_psm_analysis_errors() -> None:
    found = [thing for _, thing in inspect.getmembers(errors, inspect.isclass) if issubclass(thing, Exception)]
    problems = [thing for thing in found if not issubclass(thing, Warning)]
    assert all(issubclass(thing, psm.PsmAnalysisError) for thing in problems)
    assert [thing for thing in found if issubclass(thing, Warning)] == [psm.PsmAnalysisWarning]
    assert all(thing.__doc__ for thing in found)


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = errors.DataError("The item is constant.", where="column 'psm3'", remedy="Leave it out.")
    assert (error.what, error.where, error.remedy) == ("The item is constant.", "column 'psm3'", "Leave it out.")
    assert str(error) == "The item is constant. (column 'psm3') Leave it out."
