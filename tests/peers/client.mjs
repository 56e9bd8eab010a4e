// The official TypeScript SDK's client, running one scenario against a peer server (server.mjs, server.py).
//
//   node client.mjs [--answers sse|json] [--mode legacy|auto] [--timeout S] -- COMMAND [ARG…]   over stdio
//   node client.mjs [--answers sse|json] --url URL --token T                                   direct
//
// Prints one JSON line: {ok, peer, transport, protocol, server, checks: {name: ms}, failed: {name: why}};
// exit code 0 only if every check held. The command's stderr goes to ours.
import { parseArgs } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { scenario } from './scenario.mjs';

const { values: options, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    answers: { type: 'string', default: 'sse' },
    mode: { type: 'string', default: 'legacy' },
    timeout: { type: 'string', default: '60' },
    token: { type: 'string' },
    url: { type: 'string' },
  },
});
const direct = options.url !== undefined;
if (direct === command.length > 0) {
  console.error('usage: client.mjs [options] -- COMMAND [ARG…]  |  client.mjs [options] --url URL --token T');
  process.exit(2);
}

function transport() {
  if (!direct) {
    const [program, ...args] = command;
    // The SDK would pass on only a handful of variables; the program under test needs its own.
    return new StdioClientTransport({ command: program, args, env: process.env, stderr: 'inherit' });
  }
  const headers = options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` };
  return new StreamableHTTPClientTransport(new URL(options.url), { requestInit: { headers } });
}

const client = new Client(
  { name: 'peers-typescript', version: '1.0.0' },
  { capabilities: { elicitation: {}, sampling: {} }, versionNegotiation: { mode: options.mode } },
);
const report = { ok: false, peer: 'typescript', transport: direct ? 'http' : 'stdio', checks: {}, failed: {} };

/** Runs one check; a failure is noted and ends the scenario, for what follows would fail with it. */
async function check(name, action) {
  const start = performance.now();
  try {
    return await action();
  } catch (error) {
    report.failed[name] = `${error?.code ?? ''} ${error?.message ?? error}`.trim();
    throw error;
  } finally {
    report.checks[name] = Math.round(performance.now() - start);
  }
}

function finish() {
  report.ok = Object.keys(report.failed).length === 0;
  console.log(JSON.stringify(report));
  process.exit(report.ok ? 0 : 1);
}

setTimeout(() => {
  report.failed.timeout = `not done within ${options.timeout} s`;
  finish();
}, Number(options.timeout) * 1000);

try {
  await scenario({ client, transport: transport(), check, report, streamed: options.answers === 'sse', direct });
} catch (error) {
  if (Object.keys(report.failed).length === 0) report.failed.scenario = String(error);
}
finish();
