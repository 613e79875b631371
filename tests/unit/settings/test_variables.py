from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch.settings.variables import substitute

ENVIRON = {"USER": "ada", "KAFKA_PASSWORD": "s3cret}", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${USER}", "ada"),
        ("a${USER}b${USER}", "aadabada"),
        ("${KAFKA_PASSWORD}", "s3cret}"),
        ("${EMPTY}", ""),
        ("$${USER}", "${USER}"),
        ("$$${USER}", "$${USER}"),
        ("$USER $ {USER} $$", "$USER $ {USER} $$"),
    ],
)
def test_a_variable_is_replaced_once_and_an_escaped_one_is_not(text, expected):
    assert substitute(text, ENVIRON) == (expected, [])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("${KAFKA_PASSWORT}", "KAFKA_PASSWORT is not set (did you mean ${KAFKA_PASSWORD}?)"),
        ("${NOWHERE}", "NOWHERE is not set: set it"),
        ("${}", "names no variable"),
        ("${USER:-x}", "names no variable"),
        ("a ${USER", "never closed"),
    ],
)
def test_what_cannot_be_replaced_stays_and_is_told(text, complaint):
    left, complaints = substitute(text, ENVIRON)
    assert left == text
    assert len(complaints) == 1
    assert complaint in complaints[0]


def test_the_value_of_a_variable_is_not_looked_into():
    """A password that looks like a variable is taken as it is."""
    assert substitute("${A}", {"A": "${B}", "B": "no"}) == ("${B}", [])


@given(st.text())
def test_escaping_keeps_any_text(text):
    assert substitute(text.replace("${", "$${"), {}) == (text, [])
