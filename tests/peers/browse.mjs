// Opens a sign-in page in Chromium, clicks, waits for the last page and writes down what a person sees.
//
//   BROWSER=tests/peers/browser  BROWSE_OUT=DIR  [BROWSE_CLICK=authorize|deny|none] [BROWSE_SCHEME=light|dark]
//   [BROWSE_PAUSE_MS=0 before the click] [BROWSE_TIMEOUT_S=60] [BROWSE_CHROMIUM=/usr/bin/chromium]
//
// In BROWSE_OUT: consent.png, final.png (whole pages), browser.log, and, written last and at once, page.json:
//   {ok, error?, url, title, h1, text, status, headers, background, consent: {url, title, h1, text},
//    requests: [{method, url, referer, status}], console: [text]}
// `url` is what the address bar of the last page shows. Exit code 0 if the last page was reached.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const env = process.env;
const out = env.BROWSE_OUT;
const click = env.BROWSE_CLICK ?? 'authorize';
const limit = Number(env.BROWSE_TIMEOUT_S ?? 60) * 1000;
const BUTTONS = { authorize: '#authorize', deny: '#deny', none: null };
/** Beyond what Playwright sets itself: quiet on the network, and no secrets of its own in the keychain. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--password-store=basic',
];

/** What a person sees on the page. Nothing is loaded into it, so a strict CSP does not matter. */
async function look(page) {
  const seen = await page.evaluate(() => ({
    title: document.title,
    h1: document.querySelector('h1')?.innerText ?? null,
    text: document.body.innerText,
    background: getComputedStyle(document.body).backgroundColor,
  }));
  return { url: page.url(), ...seen };
}

/** Waits until the browser has left the consent page's server and come to rest. */
async function arrive(page, consentUrl) {
  const origin = new URL(consentUrl).origin;
  await page.waitForURL((url) => url.origin !== origin && url.protocol !== 'chrome-error:');
  for (let before = ''; before !== page.url(); ) {
    before = page.url();
    // Half a second without a request: a page that sends the browser on at once is not the last one.
    await page.waitForLoadState('networkidle');
  }
}

async function visit(page, url, report) {
  const documents = [];
  page.on('response', async (response) => {
    const request = response.request();
    const entry = report.requests.find((each) => each.request === request);
    if (entry) entry.status = response.status();
    if (request.isNavigationRequest()) documents.push(response);
  });
  page.on('request', (request) => {
    const referer = request.headers().referer ?? null;
    report.requests.push({ request, method: request.method(), url: request.url(), referer, status: null });
  });
  page.on('console', (message) => report.console.push(message.text()));
  page.on('pageerror', (error) => report.console.push(String(error)));

  await page.goto(url, { waitUntil: 'load' });
  report.consent = await look(page);
  await page.screenshot({ path: join(out, 'consent.png'), fullPage: true, animations: 'disabled' });
  if (BUTTONS[click] !== null) {
    await sleep(Number(env.BROWSE_PAUSE_MS ?? 0));
    // The click's own wait for the navigation is not ours: the chain of redirects may end elsewhere.
    await page.click(BUTTONS[click], { noWaitAfter: true });
    await arrive(page, report.consent.url);
  }
  await page.screenshot({ path: join(out, 'final.png'), fullPage: true, animations: 'disabled' });
  Object.assign(report, await look(page));
  const last = documents.at(-1);
  report.status = last?.status() ?? null;
  report.headers = (await last?.allHeaders()) ?? {};
}

async function main(url) {
  const report = { ok: false, requests: [], console: [] };
  const profile = mkdtempSync(join(tmpdir(), 'browse-'));
  let context;
  try {
    if (!(click in BUTTONS)) throw new Error('BROWSE_CLICK takes authorize, deny or none');
    context = await chromium.launchPersistentContext(profile, {
      args: FLAGS,
      colorScheme: env.BROWSE_SCHEME ?? 'light',
      executablePath: env.BROWSE_CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      locale: 'en-US',
      timeout: limit,
      viewport: { width: 1000, height: 760 },
    });
    context.setDefaultTimeout(limit);
    await visit(context.pages()[0] ?? (await context.newPage()), url, report);
    report.ok = true;
  } catch (error) {
    report.error = String(error);
    console.error(error);
  } finally {
    await context?.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  for (const entry of report.requests) delete entry.request;
  // By rename, so that whoever waits for the file never reads half of it.
  writeFileSync(join(out, 'page.json.new'), JSON.stringify(report, null, 2));
  renameSync(join(out, 'page.json.new'), join(out, 'page.json'));
  return report.ok ? 0 : 1;
}

process.exit(await main(process.argv[2]));
