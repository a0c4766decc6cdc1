"""Cookies are kept and sent as RFC 6265 says."""

from __future__ import annotations

import pytest

from loadtests.user.cookie_jar import MAX_COOKIES, CookieJar

PAST, FUTURE = "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


def sent(set_cookie: str, target: str = "/a/b", then: str = "/a/b", is_encrypted: bool = False) -> str:
    """What a request for `then` has in its Cookie header after a response to one for `target`."""
    jar = CookieJar("shop.example", is_encrypted)
    jar.store([(b"content-type", b"text/html"), (b"set-cookie", set_cookie.encode())], target)
    return jar.header_value(then)


@pytest.mark.parametrize(
    ("set_cookie", "header"),
    [
        ("a=1", "a=1"),
        (" a = 1 ; HttpOnly; SameSite=Lax", "a=1"),
        ('a="x y"', 'a="x y"'),
        ("a=b=c", "a=b=c"),
        ("a=", "a="),
        ("a=1; Domain=shop.example", "a=1"),
        ("a=1; domain=.EXAMPLE", "a=1"),
        ("a=1; Domain=hop.example", ""),
        ("a=1; Domain=other.example", ""),
        ("a=1; Secure", ""),
        ("a=1; Max-Age=60", "a=1"),
        ("a=1; Max-Age=0", ""),
        ("a=1; Max-Age=-1", ""),
        ("a=1; Max-Age=soon", "a=1"),
        (f"a=1; Expires={PAST}", ""),
        (f"a=1; Expires={FUTURE}", "a=1"),
        ("a=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT", ""),
        ("a=1; Expires=Thu, 01 Jan 99999999999 00:00:00 GMT", "a=1"),
        ("a=1; Expires=some day", "a=1"),
        (f"a=1; Max-Age=60; Expires={PAST}", "a=1"),
        ("a", ""),
        ("=1", ""),
        ("a=\x01", ""),
        ("a=ü", ""),
        (f"a={'x' * 4095}", f"a={'x' * 4095}"),
        (f"a={'x' * 4096}", ""),
    ],
)
def test_a_cookie_is_sent_back_if_it_may_be(set_cookie: str, header: str) -> None:
    assert sent(set_cookie) == header


def test_a_secure_cookie_is_sent_by_tls() -> None:
    assert sent("a=1; Secure", is_encrypted=True) == "a=1"


@pytest.mark.parametrize(
    ("set_cookie", "target", "then", "is_sent"),
    [
        ("a=1; Path=/a", "/", "/a", True),
        ("a=1; Path=/a", "/", "/a/b?c=/", True),
        ("a=1; Path=/a/", "/", "/a/b", True),
        ("a=1; Path=/a", "/", "/ab", False),
        ("a=1; Path=/a", "/", "/", False),
        ("a=1", "/a/b", "/a/c", True),
        ("a=1", "/a/b", "/b", False),
        ("a=1", "/a?b=/c/d", "/b", True),
        ("a=1; Path=a", "/a/b", "/b", False),
    ],
)
def test_a_cookie_is_sent_for_its_path(set_cookie: str, target: str, then: str, is_sent: bool) -> None:
    assert sent(set_cookie, target, then) == ("a=1" if is_sent else "")


def test_another_value_replaces_the_first() -> None:
    jar = CookieJar("shop.example", False)
    jar.store([(b"set-cookie", b"a=1"), (b"set-cookie", b"b=1"), (b"set-cookie", b"a=2")], "/")
    assert sorted(jar.header_value("/").split("; ")) == ["a=2", "b=1"]


def test_a_cookie_that_is_over_removes_the_one_that_was_kept() -> None:
    jar = CookieJar("shop.example", False)
    jar.store([(b"set-cookie", b"a=1"), (b"set-cookie", b"a=; Max-Age=0")], "/")
    assert not jar


def test_cookies_of_longer_paths_come_first() -> None:
    jar = CookieJar("shop.example", False)
    jar.store([(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"a=2; Path=/a")], "/")
    assert jar.header_value("/a") == "a=2; a=1"


def test_the_oldest_cookie_makes_room() -> None:
    jar = CookieJar("shop.example", False)
    jar.store([(b"set-cookie", b"c%d=1" % number) for number in range(MAX_COOKIES + 1)], "/")
    names = [cookie.name for cookie in jar]
    assert (len(names), names[0]) == (MAX_COOKIES, "c1")


def test_a_cleared_jar_sends_nothing() -> None:
    jar = CookieJar("shop.example", False)
    jar.store([(b"set-cookie", b"a=1")], "/")
    jar.clear()
    assert jar.header_value("/") == ""
