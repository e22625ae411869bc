"""The provider `shouting`: text over `POST /shout`, which answers `{"shouted": …}` and charges by the letter."""

import os
from decimal import Decimal
from typing import ClassVar

from genesis.domain.quantity import Unit
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, Provider, ProviderCall, Service
from genesis.providers.options import Field, OptionTable, fields_of
from genesis.providers.translation import json_object_of, merged, raise_for_status, unreadable
from genesis.settings import Settings


class Shouting:
    options: ClassVar[OptionTable] = {"temperature": Field("loudness", note="louder is less predictable")}

    def build_request(self, call: ProviderCall) -> Request:
        body = {"voice": call.model, "words": call.text, **fields_of(self.options, call.options)}
        return Request("POST", "/shout", json=merged(body, call.provider_options))

    def parse_reply(self, reply: Reply) -> Done:
        raise_for_status(reply, hints={401: "Check SHOUTING_KEY."})
        shouted = json_object_of(reply).get("shouted")
        if not isinstance(shouted, str):
            raise unreadable(reply)
        return Done(text=shouted, quantities={Unit.CHARACTERS: Decimal(len(shouted))})


def provider(settings: Settings) -> Provider:
    key = os.environ.get("SHOUTING_KEY", "")
    return Provider(
        name="shouting",
        base_url=os.environ.get("SHOUTING_URL", "https://shouting.example"),
        headers={"Authorization": f"Bearer {key}"},
        missing="" if key else "SHOUTING_KEY is not set",
        key_variable="SHOUTING_KEY",
        check=Request("GET", "/whisper"),
        services={"text": Service(Shouting(), models=("loud",), any_model=True)},
    )
