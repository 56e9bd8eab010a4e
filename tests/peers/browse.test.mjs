// The browser script against a small sign-in chain: consent page → POST → 302 → callback → 303 → last page.
//
//   node --test tests/peers
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const BROWSER = fileURLToPath(new URL('browser', import.meta.url));
const STYLE = '<style>body{background:#fff}@media(prefers-color-scheme:dark){body{background:#000}}</style>';
const html = (title) => `<!doctype html><title>${title}</title>${STYLE}<h1>${title}</h1>`;
const FORM = `<form method=post action=/decide><button id=authorize name=answer value=yes>Authorize</button>
  <button id=deny name=answer value=no>Deny</button></form>`;

async function serve(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

let callback;
let consent;
before(async () => {
  callback = await serve(async (req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://localhost');
    if (pathname === '/callback') {
      if (searchParams.has('code')) return res.writeHead(303, { location: '/signed-in' }).end();
      // Not the last page yet, though it loads as one.
      return res.writeHead(200, { 'content-type': 'text/html', refresh: '0; url=/denied' }).end(html('Wait'));
    }
    if (pathname === '/denied') await sleep(2000);
    const headers = { 'content-type': 'text/html', 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'" };
    res.writeHead(200, headers).end(html(pathname === '/signed-in' ? 'Signed in' : 'Not signed in'));
  });
  consent = await serve(async (req, res) => {
    if (req.method !== 'POST') return res.setHeader('content-type', 'text/html').end(html('Allow?') + FORM);
    let body = '';
    for await (const chunk of req) body += chunk;
    const query = body === 'answer=yes' ? 'code=s3cret' : 'error=access_denied';
    res.writeHead(302, { location: `${callback.origin}/callback?${query}` }).end();
  });
});
after(() => {
  for (const { server } of [callback, consent]) {
    server.close();
    server.closeAllConnections();
  }
});

async function browse(settings) {
  const out = mkdtempSync(join(tmpdir(), 'browse-test-'));
  try {
    const env = { ...process.env, BROWSE_OUT: out, ...settings };
    const ran = await new Promise((done) => {
      execFile(BROWSER, [`${consent.origin}/authorize`], { env }, (error, stdout, stderr) =>
        done({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
    const page = JSON.parse(readFileSync(join(out, 'page.json'), 'utf8'));
    const size = (name) => statSync(join(out, name), { throwIfNoEntry: false })?.size ?? 0;
    return { ...ran, page, consentPng: size('consent.png'), finalPng: size('final.png') };
  } finally {
    rmSync(out, { recursive: true });
  }
}

test('authorize reaches the last page, and stdout stays empty', async () => {
  const { code, stdout, stderr, page, consentPng, finalPng } = await browse({});
  assert.deepEqual([code, stdout, stderr], [0, '', ''], JSON.stringify(page));
  assert.equal(page.url, `${callback.origin}/signed-in`);
  assert.deepEqual([page.title, page.h1, page.text, page.status], ['Signed in', 'Signed in', 'Signed in', 200]);
  assert.equal(page.headers['content-security-policy'], "default-src 'none'; style-src 'unsafe-inline'");
  assert.equal(page.background, 'rgb(255, 255, 255)');
  assert.equal(page.consent.h1, 'Allow?');
  const chain = page.requests.map(({ method, url, status }) => `${method} ${url} ${status}`);
  assert.deepEqual(chain, [
    `GET ${consent.origin}/authorize 200`,
    `POST ${consent.origin}/decide 302`,
    `GET ${callback.origin}/callback?code=s3cret 303`,
    `GET ${callback.origin}/signed-in 200`,
  ]);
  assert.ok(consentPng > 1000 && finalPng > 1000);
});

test('deny, in a dark scheme', async () => {
  const { code, page } = await browse({ BROWSE_CLICK: 'deny', BROWSE_SCHEME: 'dark' });
  assert.equal(code, 0, JSON.stringify(page));
  assert.equal(page.h1, 'Not signed in');
  assert.equal(page.url, `${callback.origin}/denied`);
  assert.equal(page.background, 'rgb(0, 0, 0)');
});

test('none only looks', async () => {
  const { code, page } = await browse({ BROWSE_CLICK: 'none' });
  assert.equal(code, 0, JSON.stringify(page));
  assert.equal(page.url, `${consent.origin}/authorize`);
  assert.equal(page.requests.length, 1);
});

test('a failure is told in page.json', async () => {
  const { code, page } = await browse({ BROWSE_CHROMIUM: '/nonexistent' });
  assert.equal(code, 1);
  assert.equal(page.ok, false);
  assert.match(page.error, /nonexistent/);
});
