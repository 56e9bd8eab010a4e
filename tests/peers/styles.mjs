// How a request with a client's credentials is written: the three styles of RFC 6749 section 2.3.1 and its
// habits, and Chipp's own. Each reader accepts exactly its style and says what is wrong with any other.

/** style → [content type, where the credentials are]. */
const STYLES = {
  form_post: ['application/x-www-form-urlencoded', 'body'],
  form_basic: ['application/x-www-form-urlencoded', 'header'],
  json_basic: ['application/json', 'header'],
  json: ['application/json', 'body'],
};
export const STYLE_NAMES = Object.keys(STYLES);

/** The request is written in another style than the server reads. */
export class WrongStyle extends Error {}

const demand = (holds, why) => {
  if (!holds) throw new WrongStyle(why);
};

/** The parameters of a body, whatever its content type says; for a server that looks before it checks. */
export function loosely(body) {
  try {
    return JSON.parse(body);
  } catch {
    return Object.fromEntries(new URLSearchParams(body));
  }
}

function form(body) {
  const found = {};
  // URLSearchParams repairs what is malformed; a strict server does not.
  demand(/^(?:[\w*.+~&=-]|%[0-9A-Fa-f]{2})*$/.test(body), 'the body is not form-encoded');
  for (const [name, value] of new URLSearchParams(body)) {
    demand(!(name in found), `${name} comes twice`);
    found[name] = value;
  }
  return found;
}

function json(body) {
  let found;
  try {
    found = JSON.parse(body);
  } catch {
    throw new WrongStyle('the body is not JSON');
  }
  demand(found !== null && typeof found === 'object' && !Array.isArray(found), 'the body is no object');
  demand(Object.values(found).every((value) => typeof value === 'string'), 'a member is no string');
  return found;
}

/** RFC 6749 appendix B, and nothing that it does not produce. */
function decode(text) {
  demand(/^(?:[\w*.+-]|%[0-9A-Fa-f]{2})*$/.test(text), 'the credentials are not form-encoded');
  return decodeURIComponent(text.replaceAll('+', ' '));
}

/** The pair in a Basic header. `raw`: as it is, without the form encoding that the RFC has under it. */
function basic(header, raw) {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/.exec(header ?? '') ?? [];
  demand(encoded !== undefined, 'there is no Basic header');
  const bytes = Buffer.from(encoded, 'base64');
  demand(bytes.toString('base64') === encoded, 'the header is not in canonical base64');
  const text = bytes.toString('utf8');
  const colon = text.indexOf(':');
  demand(colon > 0, 'there is no colon between id and secret');
  const pair = [text.slice(0, colon), text.slice(colon + 1)];
  const [id, secret] = raw ? pair : pair.map(decode);
  return { id, secret };
}

/** Reads a request: `{id, secret, params}`. Throws WrongStyle. */
export function readRequest({ style, raw, method, headers, body }) {
  const [type, place] = STYLES[style];
  demand(method === 'POST', 'the method is not POST');
  demand(headers['content-type'] === type, `the content type is not ${type}`);
  const params = type === 'application/json' ? json(body) : form(body);
  if (place === 'header') {
    for (const name of ['client_id', 'client_secret']) demand(!(name in params), `${name} is in the body`);
    return { ...basic(headers.authorization, raw), params };
  }
  demand(headers.authorization === undefined, 'there is an Authorization header');
  const { client_id: id, client_secret: secret } = params;
  demand(id !== undefined, 'client_id is not in the body');
  return { id, secret, params };
}
