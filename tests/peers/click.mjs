#!/usr/bin/env node
// A person at a browser who says yes: `click.mjs URL`. Follows redirects, keeps cookies, fills in forms and
// sends them, until a page has none. CLICK=cancel takes the way out instead, where a page offers one.
//
// Plain requests and no browser engine: what a page looks like is tests/peers/browser's business.
import { request } from 'node:http';

const STEPS = 20;
const TYPED = { login: 'alice', password: 'secret' };
/** Origin → name → value. Paths do not matter here: a later cookie of the same name is the one that counts. */
const jar = new Map();

function cookies(origin) {
  if (!jar.has(origin)) jar.set(origin, new Map());
  return jar.get(origin);
}

async function load(url, form) {
  const kept = cookies(url.origin);
  const headers = { accept: 'text/html' };
  if (kept.size > 0) headers.cookie = [...kept].map(([name, value]) => `${name}=${value}`).join('; ');
  if (form) headers['content-type'] = 'application/x-www-form-urlencoded';
  const response = await new Promise((resolve, reject) => {
    const sent = request(url, { method: form ? 'POST' : 'GET', headers }, resolve);
    sent.on('error', reject).setTimeout(30_000, () => sent.destroy(new Error('no answer')));
    sent.end(form && String(form));
  });
  for (const line of response.headers['set-cookie'] ?? []) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value === '') kept.delete(name);
    else kept.set(name, value);
  }
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, location: response.headers.location, body };
}

const ENTITIES = { '&#39;': "'", '&quot;': '"', '&lt;': '<', '&gt;': '>', '&amp;': '&' };
const plain = (html) => html.replace(/&(?:#39|quot|lt|gt|amp);/g, (name) => ENTITIES[name]);
const attribute = (tag, name) => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag);
  return found && plain(found[1]);
};

/** The page's form, filled in: where it goes, and with what. */
function fill(body) {
  const found = /<form\b[^>]*>/.exec(body);
  if (!found) return null;
  const end = body.indexOf('</form>', found.index);
  const form = new URLSearchParams();
  for (const [tag] of body.slice(found.index, end).matchAll(/<input\b[^>]*>/g)) {
    const name = attribute(tag, 'name');
    if (name) form.append(name, attribute(tag, 'value') ?? TYPED[name] ?? '');
  }
  return { action: attribute(found[0], 'action'), form };
}

let cancelled = false;

/** What to load after this page; nothing after the last one. */
function next(url, { location, body }) {
  if (location) return [new URL(location, url)];
  if (cancelled) return null;
  const cancel = process.env.CLICK === 'cancel' && /<a href="([^"]*\/abort)"/.exec(body);
  if (cancel) {
    cancelled = true;
    return [new URL(plain(cancel[1]), url)];
  }
  const filled = fill(body);
  return filled && [new URL(filled.action, url), filled.form];
}

let step = [new URL(process.argv[2])];
for (let steps = 0; ; steps += 1) {
  if (steps > STEPS) throw new Error(`no end in sight, at ${step[0]}`);
  const [url, form] = step;
  const page = await load(url, form);
  step = next(url, page);
  if (!step) {
    console.log(JSON.stringify({ url: String(url), status: page.status, body: page.body }));
    break;
  }
}
