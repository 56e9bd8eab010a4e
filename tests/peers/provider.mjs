// An authorization server as strict as it is told, with the habits of a real provider (habits.mjs), and a custom
// MCP server that acts on behalf of its users (identity.mjs).
//
//   node provider.mjs [--habit NAME] [--style NAME] [--raw-basic] [--burn] [--silent empty|html] [--deaf]
//                     [--public] [--client-id ID] [--client-secret S] [--redirect-uri URI]… [--consent]
//                     [--lifetime SECONDS] [--grace SECONDS] [--expiring]
//
// Prints {"origin", "url", "client_id", "client_secret", "authorize_url", "token_url", "userinfo_url"} and, where
// there is one, "revoke_url"; `url` is the MCP endpoint. Then takes commands, see line.mjs. It publishes no
// metadata, so whoever looks for some is found in the log.
// --style: the one way in which token requests may be written (styles.mjs). --raw-basic: Basic without the form
// encoding. --burn: a code that it is shown is used up, even if the request is refused; otherwise the client
// authenticates first. --silent: how a wrong style is refused, without a word of OAuth. --deaf: GitHub answers
// with a form whatever one accepts. --public: the client has no secret. --redirect-uri: the only ones, to the
// letter; otherwise any port of loopback will do, with the path /callback. --consent: there is a page to say yes
// or no on. --lifetime: of access tokens, as it is said; they serve --grace longer. --expiring:
// of the tokens of GitHub and Slack too.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { HABITS } from './habits.mjs';
import { identity } from './identity.mjs';
import { Ledger } from './ledger.mjs';
import { serve } from './line.mjs';
import { WrongStyle, loosely, readRequest } from './styles.mjs';

const { values: options } = parseArgs({
  options: {
    habit: { type: 'string', default: 'plain' },
    style: { type: 'string' },
    'raw-basic': { type: 'boolean', default: false },
    burn: { type: 'boolean', default: false },
    silent: { type: 'string' },
    deaf: { type: 'boolean', default: false },
    public: { type: 'boolean', default: false },
    'client-id': { type: 'string', default: 'client' },
    'client-secret': { type: 'string', default: 's3cret' },
    'redirect-uri': { type: 'string', multiple: true },
    consent: { type: 'boolean', default: false },
    lifetime: { type: 'string', default: '3600' },
    grace: { type: 'string', default: '0' },
    expiring: { type: 'boolean', default: false },
  },
});
const habit = HABITS[options.habit];
const written = options.style ?? habit.style;
const client = { id: options['client-id'], secret: options.public ? undefined : options['client-secret'] };
const USERS = {
  john: { login: 'john', name: 'John Doe', email: 'john@example.com', sub: '005000000000001', slack: 'U001' },
  jane: { login: 'jane', name: 'Jane Roe', email: 'jane@example.com', sub: '005000000000002', slack: 'U002' },
};

let delay = 0;
/** Who sits at the browser and signs in, unless the request has a `login_hint`. */
let current = 'john';
/** What the next requests get instead of an answer: `{route, status, type, body}`. */
const instead = [];
const log = [];
/** Open questions: id → the authorization. */
const asked = new Map();

const random = () => randomBytes(24).toString('base64url');
const text = (status, type, body) => ({ status, type, body });

const server = createServer((req, res) => {
  handle(req, res).catch((error) => {
    console.error(error);
    res.destroy();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${server.address().port}`;
const at = (name) => habit.paths[name] && `${origin}${habit.paths[name]}`;

const [lifetime, grace] = [options.lifetime, options.grace].map(Number);
const terms = { habit, client, origin, expiring: options.expiring, lifetime, grace };
const ledger = new Ledger(terms);

const registered = (uri) =>
  options['redirect-uri']?.includes(uri) ??
  /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?\/callback$/.test(uri ?? '');

/** RFC 6749 section 4.1.2: back to the client. */
function back({ redirect_uri, state }, params) {
  const location = new URL(redirect_uri);
  for (const [name, value] of Object.entries({ ...params, state })) {
    if (value !== undefined) location.searchParams.append(name, value);
  }
  return { status: 302, location: String(location) };
}

/** Nobody is known here without having signed in first, and whoever looks at the address alone grants nothing. */
function authorize({ query, path, headers }) {
  if (query.client_id !== client.id) return text(400, 'text/html', '<h1>Invalid client</h1>');
  if (!registered(query.redirect_uri)) return habit.mismatch(query);
  const why = habit.refuses(query, client.id);
  if (why) {
    const { error, error_description } = habit.words(why);
    return back(query, { error, error_description });
  }
  if (query.response_type !== 'code') return back(query, { error: 'unsupported_response_type' });
  if (query.code_challenge !== undefined && query.code_challenge_method !== 'S256') {
    return back(query, { error: 'invalid_request', error_description: 'S256 only' });
  }
  const [, login] = /(?:^|; )login=(\w+)/.exec(headers.cookie ?? '') ?? [];
  if (!login) return { status: 302, location: `/login?${new URLSearchParams({ to: path })}` };
  const user = USERS[query.login_hint] ?? USERS[login];
  if (!options.consent) return decide({ query, user }, true);
  const id = random();
  asked.set(id, { query, user });
  // The way out is a link, as oidc-provider's is; click.mjs knows both.
  const form = `<form method="post" action="${origin}/consent/${id}"><button type="submit">Authorize</button></form>`;
  const deny = `<a href="/consent/${id}/abort">Deny</a>`;
  return text(200, 'text/html', `<!doctype html><title>Consent</title><p>${user.email}</p>${form}${deny}`);
}

function decide({ query, user }, yes) {
  if (!yes) return back(query, { error: 'access_denied', error_description: 'end-user denied authorization' });
  return back(query, { code: ledger.authorize({ query, user }) });
}

function consent(path) {
  const [, , id, abort] = path.split('/');
  const open = asked.get(id);
  asked.delete(id);
  return open ? decide(open, abort === undefined) : text(404, 'text/html', '<h1>Gone</h1>');
}

/** Who asks, and with what parameters; a failure's name if it is not the client. */
function authenticate(request) {
  const { id, secret, params } = readRequest({ ...request, style: written, raw: options['raw-basic'] });
  if (id !== client.id) return { failure: 'unknown_client' };
  return secret === client.secret ? { params } : { failure: 'wrong_secret' };
}

/** An endpoint that only the client may use. */
async function guarded(request, serve) {
  const accept = options.deaf ? '' : request.headers.accept;
  // Looked up and destroyed before anybody knows who asks.
  const burnt = options.burn ? ledger.take(loosely(request.body).code) : undefined;
  let who;
  try {
    who = authenticate(request);
  } catch (error) {
    if (!(error instanceof WrongStyle)) throw error;
    request.entry.wrong = error.message;
    if (options.silent === 'empty') return text(400, 'text/plain', '');
    if (options.silent === 'html') return text(400, 'text/html', '<h1>Bad Request</h1>');
    return habit.fail('wrong_style', { accept });
  }
  const done = who.failure ?? (await serve(who.params, burnt));
  if (typeof done === 'string') {
    request.entry.failure = done;
    return habit.fail(done, { accept });
  }
  return habit.answer({ body: done, accept });
}

const bearer = ({ authorization }) => /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];

function userinfo({ headers }) {
  const user = ledger.user(bearer(headers));
  return user ? habit.userinfo(user) : habit.unauthorized();
}

/** The API of the provider, as the MCP server asks it for the user (identity.mjs). */
function records({ headers }) {
  const user = ledger.user(bearer(headers));
  if (!user) return text(401, 'application/json', '[{"errorCode":"INVALID_SESSION_ID"}]');
  const found = { Id: '003', Name: `A friend of ${user.name}`, Email: user.email };
  return text(200, 'application/json', JSON.stringify({ records: [found] }));
}

async function answer(request) {
  const { route, pathname, query } = request;
  const replaced = instead.findIndex((one) => one.route === route);
  if (replaced >= 0) return instead.splice(replaced, 1)[0];
  if (route === 'authorize') return authorize(request);
  if (route === 'login') return { status: 302, location: query.to, cookie: `login=${current}; Path=/; HttpOnly` };
  if (route === 'userinfo') return userinfo(request);
  if (route === 'token') {
    await new Promise((done) => setTimeout(done, delay));
    return guarded(request, (params, burnt) => ledger.grant(params, burnt));
  }
  if (route === 'revoke') {
    if (!habit.secretless.includes('revoke')) return guarded(request, ({ token }) => (ledger.revoke(token), {}));
    ledger.revoke(loosely(request.body).token);
    return habit.revoked();
  }
  if (pathname.startsWith('/consent/')) return consent(pathname);
  if (pathname.startsWith('/services/data/v58.0/')) return records(request);
  if (pathname === '/jwks') return text(200, 'application/json', JSON.stringify(await ledger.jwks()));
  return text(404, 'text/plain', 'not found');
}

async function handle(req, res) {
  const url = new URL(req.url, origin);
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const named = Object.keys(habit.paths).find((name) => habit.paths[name] === url.pathname);
  const route = named ?? (url.pathname === '/login' ? 'login' : 'other');
  const entry = { route, method: req.method, path: req.url, headers: req.headers, body, status: 0 };
  log.push(entry);
  const query = Object.fromEntries(url.searchParams);
  const request = { route, pathname: url.pathname, path: req.url, query, method: req.method, headers: req.headers, body, entry };
  const { status, type, body: said = '', location, challenge, cookie } = await answer(request);
  Object.assign(entry, { status, answer: said });
  res.writeHead(status, {
    ...(type && { 'content-type': type }),
    ...(location && { location }),
    ...(challenge && { 'www-authenticate': challenge }),
    ...(cookie && { 'set-cookie': cookie }),
    'cache-control': 'no-store',
  });
  res.end(said);
}

const mcp = await identity({ userinfo: at('userinfo'), instance: origin, log });
const addresses = ['authorize', 'token', 'revoke', 'userinfo'].map((name) => [`${name}_url`, at(name)]);
serve(
  { origin, url: mcp.url, client_id: client.id, client_secret: client.secret, ...Object.fromEntries(addresses) },
  {
    log: () => log,
    user: ({ login }) => void (current = login),
    lifetime: ({ seconds }) => void (terms.lifetime = seconds),
    delay: ({ ms }) => void (delay = ms),
    instead: ({ route, status, type, body }) => void instead.push({ route, status, type, body }),
    withdraw: ({ login }) => ledger.withdraw(login),
    end: ({ token }) => ledger.end(token),
    active: ({ token }) => ledger.active(token),
    tools: ({ broken }) => mcp.breakTools(broken),
  },
);
