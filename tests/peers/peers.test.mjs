// The peers by themselves, with no proxy between them: when this is red, the fault is not chipp-auth's.
//
//   node --test tests/peers
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const PYTHON = file('../../target/peers-venv/bin/python');
const SERVERS = {
  typescript: [process.execPath, file('server.mjs')],
  'typescript-v1': [process.execPath, file('server-v1.mjs')],
  python: [PYTHON, file('server.py')],
  fastmcp: [PYTHON, file('server_fastmcp.py')],
};
const CLIENTS = {
  typescript: [process.execPath, file('client.mjs')],
  'typescript-v1': [process.execPath, file('client-v1.mjs')],
  python: [PYTHON, file('client.py')],
  fastmcp: [PYTHON, file('client_fastmcp.py')],
};
/** Server, client, how answers come, and the era of both. */
const PAIRS = [
  ['typescript', 'python', 'sse', 'legacy'],
  ['typescript', 'typescript', 'json', 'legacy'],
  ['typescript', 'typescript', 'sse', 'modern'],
  ['typescript-v1', 'typescript-v1', 'sse', 'legacy'],
  ['python', 'typescript', 'sse', 'legacy'],
  ['python', 'python', 'json', 'legacy'],
  ['python', 'python', 'sse', 'modern'],
  ['fastmcp', 'fastmcp', 'sse', 'legacy'],
];
const work = mkdtempSync(join(tmpdir(), 'peers-test-'));
after(() => rmSync(work, { recursive: true }));

async function serve(language, how, log) {
  const [program, script] = SERVERS[language];
  const tokens = join(work, 'tokens');
  writeFileSync(tokens, 'later\n');
  const args = ['--token', 'T', '--token-file', tokens, '--log', log, ...how];
  const child = spawn(program, [script, ...args, '--issuer', 'http://127.0.0.1:1'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, url: JSON.parse(line).url };
}

async function run(language, args) {
  const [program, script] = CLIENTS[language];
  return new Promise((done) => {
    execFile(program, [script, ...args], (error, stdout) =>
      done({ code: error?.code ?? 0, report: JSON.parse(stdout) }),
    );
  });
}

for (const [server, client, answers, era] of PAIRS) {
  test(`${client} client, ${server} server, ${answers} answers, ${era}`, async () => {
    const how = ['--answers', answers, '--era', era];
    const log = join(work, `${server}-${client}-${answers}-${era}`);
    const { child, url } = await serve(server, how, log);
    try {
      const { code, report } = await run(client, [...how, '--url', url, '--token', 'later']);
      assert.equal(code, 0, JSON.stringify(report));
      assert.equal(report.protocol, era === 'modern' ? '2026-07-28' : '2025-11-25');
      // A client that asks no `server/discover` is told no name.
      if (report.server !== null) assert.equal(report.server, `peers-${server}`);
      const refused = await run(client, [...how, '--url', url, '--token', 'wrong']);
      assert.equal(refused.code, 1);
      const answer = await fetch(url, { method: 'POST', body: '{}' });
      assert.equal(answer.status, 401);
      const [, metadata] = /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate'));
      const { resource, authorization_servers } = await (await fetch(metadata)).json();
      assert.deepEqual([resource, authorization_servers], [url, ['http://127.0.0.1:1']]);
      const lines = readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
      const seen = (key, value) => lines.filter((line) => line[key] === value).length;
      const sessions = era === 'modern' ? 0 : 1;
      assert.deepEqual([seen('method', 'DELETE'), seen('event', 'cancelled')], [sessions, 1]);
      assert.equal(seen('rpc', 'initialize'), 2 * sessions);
      assert.notEqual(seen('auth', 'wrong'), 0);
    } finally {
      child.stdin.end();
      await once(child, 'exit');
    }
  });
}
