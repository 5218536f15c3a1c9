// Lets the server ask in between: `node rounds.mjs SERVER`, with the second TypeScript SDK's client,
// whose handlers answer while it goes through the rounds by itself.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { report, transport } from './tour.mjs';

const TYPED = { name: 'Ada', color: 'green', ok: true, context: 'the weather' };

await report(async () => {
  const client = new Client(
    { name: 'midge-tests', version: '1.0.0' },
    {
      versionNegotiation: { mode: 'auto' },
      capabilities: { elicitation: {}, sampling: {}, roots: {} },
    },
  );
  const asked = [];
  let action = 'accept';
  client.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push(params.message);
    const fields = Object.keys(params.requestedSchema.properties);
    const content = Object.fromEntries(fields.map((field) => [field, TYPED[field]]));
    return action === 'accept' ? { action, content } : { action };
  });
  client.setRequestHandler('sampling/createMessage', ({ params }) => {
    asked.push(params.messages[0].content.text);
    return { role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'atlas' };
  });
  client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///work' }] }));
  await client.connect(transport(StreamableHTTPClientTransport, StdioClientTransport));

  const call = async (scenario) => {
    const name = `test_input_required_result_${scenario}`;
    const { content, isError } = await client.callTool({ name, arguments: {} });
    return `${isError ? 'error: ' : ''}${content[0].text}`;
  };
  const prompt = await client.getPrompt({ name: 'test_input_required_result_prompt' });
  const read = async (uri) => (await client.readResource({ uri })).contents[0].text;
  const { completion } = await client.complete({
    ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
    argument: { name: 'arg1', value: 'par' },
  });
  const seen = {
    protocol: client.getNegotiatedProtocolVersion(),
    prompt: prompt.messages[0].content.text,
    elicitation: await call('elicitation'),
    rounds: await call('multi_round'),
    state: await call('request_state'),
    sampling: await call('sampling'),
    roots: await call('list_roots'),
    together: await call('multiple_inputs'),
    resource: await read('test://static-text'),
    record: await read('test://template/7/data'),
    completion: completion.values,
  };
  action = 'decline';
  const declined = await call('multi_round');
  await client.close();
  return { ...seen, declined, asked };
});
