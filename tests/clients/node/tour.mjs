// What every client of the demo does, whatever its API looks like: list the tools, call each, and
// report what came back as one JSON object.

import { readFileSync } from 'node:fs';

/**
 * The server: its URL or, for one that is started and talked to over its standard streams, its
 * command line as a JSON array. After it a word that the script may read as its mode.
 */
export const [server, mode] = process.argv.slice(2);

/** The transport to the server, one of an SDK's two kinds. */
export function transport(Http, Stdio) {
  if (!server.startsWith('[')) return new Http(new URL(server));
  const [command, ...args] = JSON.parse(server);
  return new Stdio({ command, args });
}

/** The version of an installed package. */
export function versionOf(name) {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
}

const textOf = (result) => result.content.map((block) => block.text).join('\n');

const errorOf = (result) => (result.isError ? textOf(result) : null);

/** The code of the JSON-RPC error that `promise` fails with. */
const codeOf = (promise) => promise.then(() => null, (error) => error.code ?? String(error));

/**
 * Takes the tour: `list()` answers with the result of `tools/list`, and
 * `call(name, arguments, onprogress)` with that of `tools/call`.
 */
export async function tour({ list, call }) {
  const { tools } = await list();
  const progress = [];
  const countdown = await call('countdown', { seconds: 1 }, (step) => progress.push(step.progress));
  return {
    tools: tools.map((tool) => tool.name),
    greet: textOf(await call('greet', { name: 'Midge' })),
    structured: (await call('count_words', { text: 'one two\nthree' })).structuredContent,
    countdown: textOf(countdown),
    progress,
    quotient: textOf(await call('divide', { dividend: 7, divisor: 2 })),
    toolError: errorOf(await call('divide', { dividend: 1, divisor: 0 })),
    fetchError: errorOf(await call('fetch', { url: 'http://example.com/' })),
    argumentError: errorOf(await call('greet', {})),
    unknownTool: await codeOf(call('no_such_tool', {})),
  };
}

/** Prints the report; anything that goes wrong ends the process with a message and status 1. */
export async function report(run) {
  try {
    process.stdout.write(`${JSON.stringify(await run())}\n`);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}
