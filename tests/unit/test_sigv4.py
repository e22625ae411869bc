"""The signature of requests to S3, against Amazon's published example."""

from datetime import UTC, datetime

from genesis.storage.sigv4 import Credentials, presigned

# "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", section "An example".
KEY = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
URL = "https://examplebucket.s3.amazonaws.com/test.txt"
NOW = datetime(2013, 5, 24, tzinfo=UTC)


def signed(url=URL, credentials=KEY, **query):
    return presigned("GET", url, credentials, region="us-east-1", now=NOW, seconds=86400, query=query)


def test_the_published_example():
    assert signed() == (
        "https://examplebucket.s3.amazonaws.com/test.txt"
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_the_port_of_the_scheme_is_not_part_of_the_host():
    def signature(url):
        return signed(url).rpartition("=")[2]

    assert signature("https://examplebucket.s3.amazonaws.com:443/test.txt") == signature(URL)
    assert signature("https://examplebucket.s3.amazonaws.com:444/test.txt") != signature(URL)


def test_all_of_the_query_is_encoded_and_signed():
    url = signed(**{"response-content-disposition": 'attachment; filename="a b/ä.png"'})
    assert "&response-content-disposition=attachment%3B%20filename%3D%22a%20b%2F%C3%A4.png%22&X-Amz-Signature=" in url
    assert url.rpartition("=")[2] != signed().rpartition("=")[2]


def test_headers_are_signed_in_their_order():
    url = presigned(
        "PUT", URL, KEY, region="us-east-1", now=NOW, seconds=60, query={}, headers={"x-a": "1", "content-length": "5"}
    )
    assert "&X-Amz-SignedHeaders=content-length%3Bhost%3Bx-a&" in url


def test_a_temporary_key_names_its_session():
    assert "&X-Amz-Security-Token=a%2Fb%3D&" in signed(credentials=Credentials("A", "B", "a/b="))


def test_secrets_are_not_shown():
    assert "secret" not in repr(Credentials("A", "secret", "secret"))
