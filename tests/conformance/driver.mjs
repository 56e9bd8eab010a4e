// What the conformance suite starts as "the client": a user with an empty home directory, who starts
// `chipp-auth proxy URL` from an MCP client, with the options that the scenario is about.
//
//   driver.mjs URL     with MCP_CONFORMANCE_{SCENARIO,PROTOCOL_VERSION,CONTEXT} from the suite,
//                      CHIPP_AUTH_BIN, the program, and CONFORMANCE_HOST, the kind of client (hosts.mjs)
//
// Prints one JSON line, {problems: [text]}: where the user saw anything but what scenarios.mjs expects.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Client } from './client.mjs';
import { spoken } from './hosts.mjs';
import { scenario } from './scenarios.mjs';
import { useServer } from './use.mjs';

/** In all; each step has a bound of its own. */
const LIMIT_MS = 80_000;

const url = argv.at(-1);
const name = env.MCP_CONFORMANCE_SCENARIO;
const revision = env.MCP_CONFORMANCE_PROTOCOL_VERSION;
const host = env.CONFORMANCE_HOST;
const context = JSON.parse(env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const { options, secret, refused, tabs } = scenario(name);
const home = mkdtempSync(join(tmpdir(), 'conformance-'));
const problems = [];

let files = 0;
function file(text) {
  const path = join(home, `given-${++files}`);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** Nothing of the environment that the tests run in: no proxies, no keychain, no other settings. */
function environment() {
  const clean = {
    PATH: env.PATH,
    HOME: home,
    CHIPP_AUTH_HOME: home,
    CHIPP_AUTH_STORE: 'file',
    CHIPP_AUTH_PASSPHRASE: 'correct horse',
    BROWSER: fileURLToPath(new URL('browser', import.meta.url)),
  };
  const given = secret(context);
  return given === undefined ? clean : { ...clean, CHIPP_AUTH_CLIENT_SECRET: given };
}

/** What is wrong with how often the browser was opened. */
function tabProblems() {
  const path = join(home, 'tabs');
  const opened = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0;
  const [least, most = least] = [tabs].flat();
  if (opened >= least && opened <= most) return [];
  return [`the browser was opened ${opened} times, not ${[tabs].flat().join(' to ')}`];
}

/** A client that finds out by itself must come to speak what the server speaks. */
function eraProblems() {
  if (client.revision === spoken(host, revision)) return [];
  return [`the client was led to ${client.revision}`];
}

function finish() {
  console.log(JSON.stringify({ problems }));
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  process.exit(problems.length === 0 ? 0 : 1);
}

const client = new Client({
  program: env.CHIPP_AUTH_BIN,
  args: ['proxy', ...options(context, file), url],
  env: environment(),
  host,
  revision,
});
setTimeout(() => {
  problems.push(`not done within ${LIMIT_MS / 1000} s`);
  client.child.kill('SIGKILL');
  finish();
}, LIMIT_MS);

try {
  problems.push(...(await useServer(client, { name, context, refused })));
} catch (error) {
  problems.push(error.message);
}
const exit = await client.close();
if (exit !== 0) problems.push(`how the proxy ended: ${exit}, not 0`);
problems.push(...tabProblems(), ...eraProblems());
finish();
