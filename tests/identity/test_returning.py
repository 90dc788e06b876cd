"""After signing in, people come back to the page they asked for, and nowhere else."""

import pytest

from app.identity.returning import safe_return, sign_in_address


@pytest.mark.parametrize(
    "asked", ["/", "/email", "/email?period=7d&product=mailer", "/campaign?id=1&name=50%25%20off", "/a?b=http://c.d"]
)
def test_a_page_of_this_site_is_returned_to_with_its_filters(asked):
    assert safe_return(asked) == asked


@pytest.mark.parametrize(
    "asked",
    [
        None, "", "email", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "/\t/evil.example",
        "https://evil.example", "javascript:alert(1)", "/x\r\nSet-Cookie: a=b", "/\x00", "http:evil", " //evil.example",
        "/sign-in?next=/sign-in", "/sign-out", "/" + "x" * 5000, "/x\\..\\..//evil.example",
    ],
)  # fmt: skip
def test_whatever_could_lead_elsewhere_leads_to_the_first_page(asked):
    assert safe_return(asked) == "/"


def test_the_way_to_sign_in_carries_the_page():
    assert sign_in_address("/email?period=7d&a=b c") == "/sign-in?next=%2Femail%3Fperiod%3D7d%26a%3Db%2520c"
    assert sign_in_address("//evil.example") == sign_in_address() == "/sign-in"
