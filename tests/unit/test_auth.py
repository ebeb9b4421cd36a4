"""Which project a key opens, and for what; and what is said to those it opens nothing."""

from __future__ import annotations

import itertools
import re

import pytest

from collector.auth import Keys, Scope, hash_of, new_key, shown_key
from collector.errors import Forbidden, Outcome, Permanent, Unauthorized
from collector.project import DEFAULT_PROJECT, LONGEST_PROJECT, project_name, project_uuid, resource_attribute
from collector.settings_auth import Auth, Key
from collector.settings_values import shown

WRITER, READER = new_key(), new_key()


def key(name: str, project: str, secret: str, *scopes: Scope) -> Key:
    return Key(name=name, project=project, scopes=scopes, hash=hash_of(secret))


KEYS = Keys(
    Auth(
        keys=(
            key("writer", "shop", WRITER, Scope.WRITE, Scope.DELETE),
            key("reader", "forum", READER, Scope.READ),
        )
    )
)
OPEN = Keys()
DIVIDED = Keys(Auth(project_attribute="tenant.id"))


def refusal(keys: Keys, *arguments: object, **named: str) -> Outcome:
    with pytest.raises(Outcome) as refused:
        keys.project(*arguments, **named)  # type: ignore[arg-type]
    return refused.value


@pytest.mark.parametrize(
    ("secret", "scope", "project"),
    [(WRITER, Scope.WRITE, "shop"), (WRITER, Scope.DELETE, "shop"), (READER, Scope.READ, "forum")],
    ids=itertools.count(),
)
def test_a_key_opens_its_project_for_its_scopes(secret: str, scope: Scope, project: str) -> None:
    assert KEYS.project(secret, scope) == project


@pytest.mark.parametrize(
    ("secret", "scope"), [(WRITER, Scope.READ), (READER, Scope.WRITE), (READER, Scope.DELETE)], ids=itertools.count()
)
def test_a_key_without_the_scope_is_forbidden_and_told_which_it_has(secret: str, scope: Scope) -> None:
    refused = refusal(KEYS, secret, scope)
    assert isinstance(refused, Forbidden)
    assert f"has no scope {scope}, only {'read' if secret == READER else 'write, delete'}" in str(refused)


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_key_a_request_is_unauthorized_and_told_how_to_send_one(secret: str | None) -> None:
    refused = refusal(KEYS, secret, Scope.READ)
    assert isinstance(refused, Unauthorized)
    assert "Authorization: Bearer KEY" in str(refused)


@pytest.mark.parametrize(
    "secret",
    [READER[:-1], READER + " ", READER.swapcase(), hash_of(READER), "ключ\x00", "x" * 9999],
    ids=itertools.count(),
)
def test_a_key_that_is_not_known_is_unauthorized_and_not_repeated(secret: str) -> None:
    refused = refusal(KEYS, secret, Scope.READ)
    assert isinstance(refused, Unauthorized)
    assert secret not in str(refused)


@pytest.mark.parametrize("named", ["forum", project_uuid("forum"), "", None])
def test_a_request_may_name_the_project_of_its_key(named: str | None) -> None:
    assert KEYS.project(READER, Scope.READ, named=named) == "forum"


@pytest.mark.parametrize("named", ["shop", "Forum", project_uuid("shop"), "a\nb"])
def test_a_request_that_names_another_project_than_its_key_is_forbidden(named: str) -> None:
    refused = refusal(KEYS, READER, Scope.READ, named=named)
    assert isinstance(refused, Forbidden)
    assert 'belongs to the project "forum"' in str(refused)
    assert "\n" not in str(refused)


@pytest.mark.parametrize("secret", [None, "", "anything"])
@pytest.mark.parametrize("named", [None, "", "shop", "\n"])
@pytest.mark.parametrize("scope", Scope)
def test_without_keys_everybody_may_do_everything_in_one_project(
    secret: str | None, named: str | None, scope: Scope
) -> None:
    assert OPEN.project(secret, scope, named=named) == DEFAULT_PROJECT
    assert OPEN.sender(secret, named=named) == DEFAULT_PROJECT


def test_where_resources_name_their_projects_a_request_may_name_one_too() -> None:
    assert DIVIDED.project(None, Scope.READ, named=" shop ") == "shop"
    assert DIVIDED.project(None, Scope.READ) == DEFAULT_PROJECT
    assert resource_attribute(DIVIDED.sender(None)) == ("tenant.id", DEFAULT_PROJECT)
    assert resource_attribute(DIVIDED.sender(None, named="shop")) == ("tenant.id", "shop")
    assert type(refusal(DIVIDED, None, Scope.READ, named="x" * (LONGEST_PROJECT + 1))) is Permanent


def test_what_is_sent_with_a_key_is_of_its_project_alone() -> None:
    assert KEYS.sender(WRITER) == "shop"
    assert resource_attribute("shop") == ("", "shop")
    with pytest.raises(Forbidden):
        KEYS.sender(READER)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"authorization": "Bearer a"}, "a"),
        ({"authorization": "bearer  a "}, "a"),
        ({"x-api-key": "b"}, "b"),
        ({"authorization": "Bearer a", "x-api-key": "b"}, "b"),
        ({"authorization": "Bearer a", "x-api-key": ""}, "a"),
        ({"authorization": "Basic a"}, None),
        ({"authorization": "a"}, None),
        ({"authorization": "Bearer "}, None),
        ({}, None),
    ],
)
def test_a_key_is_read_from_either_header_and_the_api_key_wins(headers: dict[str, str], found: str | None) -> None:
    assert shown_key(headers.get) == found


def test_a_new_key_is_random_and_can_stand_in_headers_and_in_the_environment() -> None:
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    for each in made:
        assert re.fullmatch(r"spanledger_[A-Za-z0-9_-]{43}", each)
        assert shown(f"x {each} y") == "x spanledger_*** y", "messages mask it"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop", "shop"),
        (" Café 2 ", "Café 2"),
        ("x" * LONGEST_PROJECT, "x" * LONGEST_PROJECT),
        ("x" * (LONGEST_PROJECT + 1), ""),
        ("", ""),
        ("  ", ""),
        ("a\nb", ""),
        ("a\x00", ""),
        ("\ud800", ""),
        ("a\u202eb", ""),
    ],
)
def test_a_project_has_a_printable_name_of_bounded_length(text: str, name: str) -> None:
    assert project_name(text) == name


def test_there_is_one_project_only_where_nothing_tells_projects_apart() -> None:
    assert Keys().one_project
    assert not Keys(Auth(project_attribute="tenant.id")).one_project
