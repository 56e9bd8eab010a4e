// What the TypeScript clients have in common: the options, the command, and the report.
//
//   CLIENT [--answers sse|json] [--era legacy|auto|modern] [--server peers|everything]
//          [--without CHECK]… [--timeout S] -- COMMAND [ARG…]      over stdio
//   CLIENT … --url URL --token T                                        direct
//
// Prints one JSON line: {ok, peer, transport, protocol, server, checks: {name: ms}, failed: {name: why}};
// exit code 0 only if every check held. The command's stderr goes to ours.
import { parseArgs } from 'node:util';
import { everything } from './everything.mjs';
import { scenario } from './scenario.mjs';

export const { values: options, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    answers: { type: 'string', default: 'sse' },
    era: { type: 'string', default: 'legacy' },
    server: { type: 'string', default: 'peers' },
    timeout: { type: 'string', default: '60' },
    token: { type: 'string' },
    url: { type: 'string' },
    without: { type: 'string', multiple: true, default: [] },
  },
});
const SCENARIOS = { peers: scenario, everything };
export const direct = options.url !== undefined;
if (direct === command.length > 0 || !(options.server in SCENARIOS)) {
  console.error('usage: CLIENT [options] -- COMMAND [ARG…]  |  CLIENT [options] --url URL --token T');
  process.exit(2);
}

/** The transport: the SDK's own over stdio, or over HTTP. */
export function transport(Stdio, Http) {
  if (!direct) {
    const [program, ...args] = command;
    // The SDK would pass on only a handful of variables; the program under test needs its own.
    return new Stdio({ command: program, args, env: process.env, stderr: 'inherit' });
  }
  const headers = options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` };
  return new Http(new URL(options.url), { requestInit: { headers } });
}

/** Runs the scenario with this client. */
export async function run(name, peer) {
  const report = { ok: false, peer: name, transport: direct ? 'http' : 'stdio', checks: {}, failed: {} };

  /** Runs one check; a failure is noted and ends the scenario, for what follows would fail with it. */
  async function check(name, action) {
    if (options.without.includes(name)) return;
    const start = performance.now();
    try {
      await action();
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
    await SCENARIOS[options.server]({ peer, check, report, streamed: options.answers === 'sse', direct });
  } catch (error) {
    if (Object.keys(report.failed).length === 0) report.failed.scenario = String(error);
  }
  finish();
}
