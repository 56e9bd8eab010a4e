// Several accounts at once, each in a client of its own: the official TypeScript SDK starts one proxy for each.
//
//   accounts.mjs --calls N [--pause MS] -- COMMAND [ARG…] --and COMMAND [ARG…]
//
// Every client asks `whoami` N times; the calls of all of them are interleaved, and `pause` milliseconds lie
// between two rounds. Prints {"answers": [{text: how often}, …], "errors": […]}, one object for each client.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const split = process.argv.indexOf('--');
const { values: options } = parseArgs({
  args: process.argv.slice(2, split),
  options: { calls: { type: 'string', default: '50' }, pause: { type: 'string', default: '0' } },
});
const commands = [[]];
for (const word of process.argv.slice(split + 1)) {
  if (word === '--and') commands.push([]);
  else commands.at(-1).push(word);
}

const errors = [];
const clients = await Promise.all(
  commands.map(async ([command, ...args]) => {
    const client = new Client({ name: 'accounts', version: '1.0.0' });
    // The SDK would pass on only a handful of variables; the program under test needs its own.
    await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' }));
    return client;
  }),
);
const answers = clients.map(() => ({}));

async function ask(client, index) {
  try {
    const { content, isError } = await client.callTool({ name: 'whoami', arguments: {} });
    const text = isError ? `error: ${content[0].text}` : content[0].text;
    answers[index][text] = (answers[index][text] ?? 0) + 1;
  } catch (error) {
    errors.push(String(error));
  }
}

const waiting = [];
for (let round = 0; round < Number(options.calls); round += 1) {
  waiting.push(...clients.map(ask));
  await sleep(Number(options.pause));
}
await Promise.all(waiting);
await Promise.all(clients.map((client) => client.close()));
console.log(JSON.stringify({ answers, errors }));
