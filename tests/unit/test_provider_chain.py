"""What the settings of the chains come to."""

import pytest

from genesis.domain.attempt import ProviderClass
from genesis.errors import Misconfigured
from genesis.ports.workers import Link
from genesis.providers import fake, fake_paid
from genesis.providers.chain import Entry, links, read_chain
from genesis.settings import Settings

PROVIDERS = (fake.provider(), fake_paid.provider(ProviderClass.OPAQUE, "http://paid.test"))


def test_groups_weights_and_defaults_are_read():
    assert read_chain("openai:gpt-5-mini*3 | openrouter:openai/gpt-5-mini:free ,local") == (
        (Entry("openai", "gpt-5-mini", 3), Entry("openrouter", "openai/gpt-5-mini:free", 1)),
        (Entry("local"),),
    )


@pytest.mark.parametrize("written", ["", ",", "a,,b", "a|", "A:b", "a:", "a*0", "a*x", "a b", "a:b*99999", ":m"])
def test_what_is_no_chain_is_refused(written):
    with pytest.raises(ValueError, match="is not of the form"):
        read_chain(written)


def test_without_a_setting_each_provider_has_its_turn():
    assert [(link.target.partition(":")[0], link.group) for link in links(Settings(), "text", PROVIDERS)] == [
        ("fake", 0),
        ("fake-opaque", 1),
    ]


def test_a_setting_names_the_chain():
    settings = Settings(text_chain="fake-opaque*2 | fake, fake-opaque")
    default = PROVIDERS[1].services["text"].models[0]
    assert links(settings, "text", PROVIDERS) == (
        Link(f"fake-opaque:{default}", 0, 2),
        Link(f"fake:{PROVIDERS[0].services['text'].models[0]}", 0, 1),
        Link(f"fake-opaque:{default}", 1, 1),
    )


@pytest.mark.parametrize("written", ["nobody", "fake:no-such-model", "fake,,"])
def test_a_setting_that_cannot_be_used_is_refused_by_its_name(written):
    with pytest.raises(Misconfigured, match="TEXT_CHAIN") as caught:
        links(Settings(text_chain=written), "text", PROVIDERS)
    assert "fake-opaque" in caught.value.hint
