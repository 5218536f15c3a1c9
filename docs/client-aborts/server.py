"""A stateless streamable-HTTP server of the Python SDK with a slow streaming tool."""

import asyncio
import sys
from urllib.parse import urlsplit

from mcp.server.fastmcp import Context, FastMCP

mcp = FastMCP("python-stateless", stateless_http=True, host="127.0.0.1", port=int(sys.argv[1]))


@mcp.tool()
async def countdown(ctx: Context, seconds: int = 3, beacon: str | None = None) -> str:
    """Counts down, and reports progress every second."""
    writer = None
    if beacon:
        url = urlsplit(beacon)
        _, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        for second in range(seconds):
            # Not progress: this version sends that to no stream of a stateless server.
            await ctx.info(f"{seconds - second} to go")
            await asyncio.sleep(1)
        return f"Counted down {seconds} seconds."
    finally:
        if writer:
            writer.close()


mcp.run(transport="streamable-http")
