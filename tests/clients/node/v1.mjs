// The first TypeScript SDK: `node v1.mjs URL`. It speaks the protocol up to 2025-11-25.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { report, tour, url, versionOf } from './tour.mjs';

await report(async () => {
  const client = new Client({ name: 'midge-tests', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  const seen = await tour({
    list: () => client.listTools(),
    call: (name, args, onprogress) =>
      client.callTool({ name, arguments: args }, undefined, { onprogress }),
  });
  const protocol = transport.protocolVersion;
  await client.close();
  const name = '@modelcontextprotocol/sdk';
  return { client: name, version: versionOf(name), protocol, ...seen };
});
