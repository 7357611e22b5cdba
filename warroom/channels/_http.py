"""What the channels over HTTP share: a JSON request made, and its end as a receipt.

Imports the client when something is sent, not before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warroom.channels.base import Call, ChannelContext, ChannelFault, Delivery, Receipt, Watcher

if TYPE_CHECKING:
    from warroom.channels._post import Reply

JSON: dict[str, str] = {"Content-Type": "application/json; charset=utf-8"}


def packed(value: object) -> bytes:
    """`value` as a JSON document in ASCII, so that not even a lone surrogate stands in its way."""
    return json.dumps(value).encode("ascii")


async def attempted(call: Call, context: ChannelContext, watch: Watcher) -> Reply | Receipt:
    """The answer to `call`, or the receipt that says why there is none."""
    from warroom.channels._post import NotTaken, Unsure, post

    try:
        return await post(call, context, watch)
    except (NotTaken, ChannelFault) as error:
        return Receipt(Delivery.FAILED, str(error))
    except Unsure as error:
        return Receipt(Delivery.UNKNOWN, str(error))


async def delivered(call: Call, context: ChannelContext, watch: Watcher, place: str) -> Receipt:
    """The receipt for a call whose answer says no more than that it was taken."""
    reply = await attempted(call, context, watch)
    if isinstance(reply, Receipt):
        return reply
    return Receipt(Delivery.SENT, f"taken by {place} (HTTP {reply.status})")


def table_in(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; empty when it holds none."""
    value = value_in(body)
    return value if isinstance(value, dict) else {}


def value_in(body: bytes) -> object:
    """The JSON value in an answer; None when it holds none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
