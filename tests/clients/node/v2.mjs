// The second TypeScript SDK's client: `node v2.mjs SERVER MODE`, with MODE `auto` (asks the server
// with `server/discover`) or `legacy` (begins with `initialize`).

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { mode, report, tour, transport, versionOf } from './tour.mjs';

await report(async () => {
  const client = new Client(
    { name: 'midge-tests', version: '1.0.0' },
    { versionNegotiation: { mode } },
  );
  await client.connect(transport(StreamableHTTPClientTransport, StdioClientTransport));
  const seen = await tour({
    list: () => client.listTools(),
    call: (name, args, onprogress) => client.callTool({ name, arguments: args }, { onprogress }),
  });
  const protocol = client.getNegotiatedProtocolVersion();
  await client.close();
  const name = '@modelcontextprotocol/client';
  return { client: name, version: versionOf(name), protocol, ...seen };
});
