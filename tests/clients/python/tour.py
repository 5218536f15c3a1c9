"""The Python SDK as a client of the demo: `python tour.py SERVER MODE`.

SERVER is a URL or, for a server that is started and talked to over its standard streams, its
command line as a JSON array. MODE is `auto` (asks the server with `server/discover`) or `legacy`
(begins with `initialize`). Lists the tools, calls each, and prints what came back as one JSON object.
"""

import asyncio
import json
import sys
from importlib.metadata import version

from mcp import Client, MCPError, StdioServerParameters


def text_of(result):
    return "\n".join(block.text for block in result.content)


def error_of(result):
    return text_of(result) if result.is_error else None


async def code_of(call):
    """The code of the JSON-RPC error that `call` fails with."""
    try:
        await call
    except MCPError as error:
        return error.error.code
    return None


async def tour(client):
    progress = []

    async def on_progress(step, total, message):
        progress.append(step)

    listed = await client.list_tools()
    countdown = await client.call_tool("countdown", {"seconds": 1}, progress_callback=on_progress)
    counted = await client.call_tool("count_words", {"text": "one two\nthree"})
    by_zero = await client.call_tool("divide", {"dividend": 1, "divisor": 0})
    forbidden = await client.call_tool("fetch", {"url": "http://example.com/"})
    return {
        "tools": [tool.name for tool in listed.tools],
        "greet": text_of(await client.call_tool("greet", {"name": "Midge"})),
        "structured": counted.structured_content,
        "countdown": text_of(countdown),
        "progress": progress,
        "quotient": text_of(await client.call_tool("divide", {"dividend": 7, "divisor": 2})),
        "toolError": error_of(by_zero),
        "fetchError": error_of(forbidden),
        "argumentError": error_of(await client.call_tool("greet", {})),
        "unknownTool": await code_of(client.call_tool("no_such_tool", {})),
    }


def target(server):
    if not server.startswith("["):
        return server
    command, *args = json.loads(server)
    return StdioServerParameters(command=command, args=args)


async def main(server, mode):
    async with Client(target(server), mode=mode) as client:
        seen = await tour(client)
        report = {"client": "mcp", "version": version("mcp"), "protocol": client.protocol_version}
        print(json.dumps(report | seen))


asyncio.run(main(*sys.argv[1:]))
