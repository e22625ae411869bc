import pytest

from genesis.domain.expression import Expression, Reference, Scope
from genesis.errors import InvalidPipeline

SCOPE = Scope({"text": "a cat"}, {"style": "oil", "seed": 0}, {"enhance": {"text": "a fine cat"}})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("${inputs.text}", "a cat"),
        ("${options.seed}", 0),
        ("${options.nothing}", None),
        ("${steps.enhance.text ?? inputs.text}", "a fine cat"),
        ("${steps.missing.text ?? inputs.text}", "a cat"),
        ("${options.nothing ?? 'plain'}", "plain"),
        ("${options.nothing ?? 0.6}", 0.6),
        ("${options.nothing ?? 80}", 80),
        ("${inputs.text + ', ' + steps.enhance.text ?? inputs.text}", "a cat, a fine cat"),
        ("${inputs.text + ', ' + steps.missing.text ?? inputs.text}", "a cat"),
        ("${options.seed + 1}", "01"),
        ("${ 'a ?? b + c' }", "a ?? b + c"),
        ("Draw ${inputs.text} in ${options.style}.", "Draw a cat in oil."),
        ("Nothing: ${options.nothing}.", "Nothing: ."),
        ("no holes", "no holes"),
        ("", ""),
        (12, 12),
        (["\n"], ["\n"]),
    ],
)
def test_evaluates(source, value):
    assert Expression.parse(source).evaluate(SCOPE) == value


def test_a_value_is_not_read_as_an_expression():
    scope = Scope({"text": "${options.style}"}, {"style": "oil"}, {})
    assert Expression.parse("Say ${inputs.text}").evaluate(scope) == "Say ${options.style}"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("${inputs.text + ', ' + steps.enhance.text ?? inputs.text}", "a cat"),
        ("${steps.enhance.text}", "a fine c"),
        ("${options.seed}", 0),
        ("Draw ${inputs.text}", "Draw a c"),
    ],
)
def test_what_is_too_long_falls_back_or_is_cut(source, value):
    assert Expression.parse(source).evaluate(SCOPE, longest=8) == value


@pytest.mark.parametrize(
    "source",
    [
        "${}",
        "${inputs}",
        "${inputs.text",
        "${a.b}",
        "${inputs.text ?? }",
        "${__class__}",
        "${inputs.text inputs.text}",
        "${inputs.text + }",
        "${+}",
        "${?? 'a'}",
        "${'a}",
    ],
)
def test_refuses(source):
    with pytest.raises(InvalidPipeline):
        Expression.parse(source)


def test_knows_its_references():
    expression = Expression.parse("${steps.a.text ?? inputs.text} and ${options.style ?? 'x'}")
    assert [str(reference) for reference in expression.references] == ["steps.a.text", "inputs.text", "options.style"]
    assert expression.single is None
    assert Expression.parse("${inputs.text}").single == ((Reference("inputs", "text"),),)
