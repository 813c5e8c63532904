"""Prints what a ComfyUI server tells its page, as JSON lines: `comfy_events.py ADDRESS CLIENT`.

Runs in ComfyUI's own environment, which has a websocket client; ours has none.
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp


async def listen(address: str, client: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{address}/ws?clientId={client}") as socket,
    ):
        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                sys.stdout.write(message.data + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(listen(*sys.argv[1:3]))
