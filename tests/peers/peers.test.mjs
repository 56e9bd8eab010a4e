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
const SERVERS = { typescript: [process.execPath, file('server.mjs')], python: [PYTHON, file('server.py')] };
const CLIENTS = { typescript: [process.execPath, file('client.mjs')], python: [PYTHON, file('client.py')] };
const work = mkdtempSync(join(tmpdir(), 'peers-test-'));
after(() => rmSync(work, { recursive: true }));

async function serve(language, answers, log) {
  const [program, script] = SERVERS[language];
  const tokens = join(work, 'tokens');
  writeFileSync(tokens, 'later\n');
  const args = ['--token', 'T', '--token-file', tokens, '--log', log, '--answers', answers];
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

for (const server of Object.keys(SERVERS)) {
  for (const answers of ['sse', 'json']) {
    test(`${server} server, ${answers} answers`, async () => {
      const log = join(work, `${server}-${answers}`);
      const { child, url } = await serve(server, answers, log);
      try {
        for (const [client, token] of [['typescript', 'T'], ['python', 'later']]) {
          const { code, report } = await run(client, ['--answers', answers, '--url', url, '--token', token]);
          assert.equal(code, 0, JSON.stringify(report));
          assert.deepEqual([report.server, report.protocol], [`peers-${server}`, '2025-11-25']);
          const refused = await run(client, ['--answers', answers, '--url', url, '--token', 'wrong']);
          assert.equal(refused.code, 1);
          assert.deepEqual(Object.keys(refused.report.failed), ['connect']);
        }
        const answer = await fetch(url, { method: 'POST', body: '{}' });
        assert.equal(answer.status, 401);
        const [, metadata] = /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate'));
        const { resource, authorization_servers } = await (await fetch(metadata)).json();
        assert.deepEqual([resource, authorization_servers], [url, ['http://127.0.0.1:1']]);
        const lines = readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
        const seen = (key, value) => lines.filter((line) => line[key] === value).length;
        // Two clients run the scenario; with the wrong token they get no further than initialize.
        assert.deepEqual([seen('method', 'GET') - 1, seen('method', 'DELETE')], [2, 2]);
        assert.deepEqual([seen('rpc', 'initialize'), seen('auth', 'wrong')], [4, 2]);
      } finally {
        child.stdin.end();
        await once(child, 'exit');
      }
    });
  }
}
