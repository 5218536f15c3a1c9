// The first TypeScript SDK: `node v1.mjs SERVER`. It speaks the protocol up to 2025-11-25.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { report, tour, transport, versionOf } from './tour.mjs';

await report(async () => {
  const client = new Client({ name: 'midge-tests', version: '1.0.0' });
  const connection = transport(StreamableHTTPClientTransport, StdioClientTransport);
  // What the client tells its transport, which not every transport keeps.
  let protocol;
  const keep = connection.setProtocolVersion?.bind(connection);
  connection.setProtocolVersion = (version) => {
    protocol = version;
    keep?.(version);
  };
  await client.connect(connection);
  const seen = await tour({
    list: () => client.listTools(),
    call: (name, args, onprogress) =>
      client.callTool({ name, arguments: args }, undefined, { onprogress }),
  });
  await client.close();
  const name = '@modelcontextprotocol/sdk';
  return { client: name, version: versionOf(name), protocol, ...seen };
});
