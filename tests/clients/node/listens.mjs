// Listens to changes that it makes itself: `node listens.mjs SERVER`, with the second TypeScript SDK's
// client.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { report, transport } from './tour.mjs';

await report(async () => {
  const client = new Client(
    { name: 'midge-tests', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );
  await client.connect(transport(StreamableHTTPClientTransport, StdioClientTransport));
  const told = [];
  let wake = () => {};
  const tell = (what) => {
    told.push(what);
    wake();
  };
  client.setNotificationHandler('notifications/resources/updated', (notification) =>
    tell(notification.params.uri),
  );
  client.setNotificationHandler('notifications/tools/list_changed', () => tell('tools'));
  const publish = async (name, version) => {
    const next = new Promise((resolve) => {
      wake = resolve;
    });
    await client.callTool({ name: 'publish', arguments: { name, version } });
    await next;
  };
  const wanted = {
    toolsListChanged: true,
    promptsListChanged: true,
    resourceSubscriptions: ['news://today', 'news://nowhere'],
  };

  const subscription = await client.listen(wanted);
  await publish('today', 'rain');
  const { contents } = await client.readResource({ uri: 'news://today' });
  await publish('tools', 'more');
  const ends = [await subscription.closed];

  const again = await client.listen(wanted);
  await publish('today', 'sun');
  await again.close();
  ends.push(await again.closed);
  await client.close();
  return { honoured: subscription.honoredFilter, read: contents[0].text, told, ends };
});
