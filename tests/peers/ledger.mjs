// What a provider knows (provider.mjs): its codes, its tokens, and who has consented.
import { createHash, randomBytes } from 'node:crypto';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

const random = () => randomBytes(24).toString('base64url');
const keys = await generateKeyPair('ES256', { extractable: true });
const now = () => Date.now();

/** `terms`: {habit, client, expiring, lifetime and grace in seconds, origin}; the lifetime may change. */
export class Ledger {
  /** code → the authorization that it stands for; a used one is kept, and known as used. */
  #codes = new Map();
  /** Token → {user, scope, ends, family}; `family` is the same for all that came of one sign-in. */
  #access = new Map();
  #refresh = new Map();
  /** Users who have consented, and not withdrawn that since. */
  #consented = new Set();

  constructor(terms) {
    this.terms = terms;
  }

  jwks = async () => ({ keys: [await exportJWK(keys.publicKey)] });

  /** The user consents: a code. */
  authorize({ query, user }) {
    const code = random();
    this.#codes.set(code, { query, user, first: !this.#consented.has(user.login), used: false });
    this.#consented.add(user.login);
    return code;
  }

  /** Uses a code up; a failure's name, or what it stands for. */
  take(code) {
    const found = this.#codes.get(code);
    if (!found) return 'bad_code';
    if (found.used) return 'used_code';
    found.used = true;
    return found;
  }

  /** RFC 6749 sections 4.1.3 and 6: a failure's name, or the tokens. `burnt`: what was taken before. */
  async grant(params, burnt) {
    const { habit, client } = this.terms;
    const why = habit.refuses(params, client.id);
    if (why) return why;
    if (params.grant_type === 'authorization_code') return this.#redeem(params, burnt ?? this.take(params.code));
    if (params.grant_type !== 'refresh_token') return 'bad_grant_type';
    const found = this.#refresh.get(params.refresh_token);
    if (!found) return 'bad_refresh';
    const unfit = habit.refusesRefresh(params, found.scope, client.id);
    if (unfit) return unfit;
    if (habit.rotates) this.#refresh.delete(params.refresh_token);
    return this.#issue(found, { scope: params.scope ?? found.scope, family: found.family, again: !habit.rotates });
  }

  #redeem(params, found) {
    if (typeof found === 'string') return found;
    const { query } = found;
    if (params.redirect_uri !== query.redirect_uri) return 'redirect_mismatch';
    const { code_verifier: verifier } = params;
    const challenge = verifier && createHash('sha256').update(verifier).digest('base64url');
    if (challenge !== query.code_challenge) return 'bad_verifier';
    return this.#issue(found, { scope: query.scope, family: random() });
  }

  /** The tokens for an authorization, as the habit has them; `again`: without a new refresh token. */
  async #issue({ query, user, first }, { scope, family, again }) {
    const { habit, client, expiring, lifetime, grace, origin } = this.terms;
    const claims = { sub: user.sub, email: user.email, email_verified: true, preferred_username: user.email };
    const id_token = await new SignJWT({ ...claims, name: user.name, nonce: query.nonce })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(origin)
      .setAudience(client.id)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(keys.privateKey);
    const body = habit.tokens({ scope, lifetime, user, origin, expiring, id_token });
    this.#access.set(body.access_token, { user, scope, family, ends: now() + (lifetime + grace) * 1000 });
    if (again || !habit.refreshes({ asked: query, first, expiring })) delete body.refresh_token;
    if (body.refresh_token) this.#refresh.set(body.refresh_token, { query, user, first, scope, family });
    return body;
  }

  /** RFC 7009: whatever came of the same sign-in ends with the refresh token. */
  revoke(token) {
    const { family, user } = this.#refresh.get(token) ?? {};
    this.#access.delete(token);
    if (!this.#refresh.delete(token)) return;
    for (const [one, { family: other }] of this.#access) if (other === family) this.#access.delete(one);
    this.#consented.delete(user.login);
  }

  /** In the settings page: the user takes the access away. */
  withdraw(login) {
    this.#consented.delete(login);
    for (const kept of [this.#access, this.#refresh]) {
      for (const [token, { user }] of kept) if (user.login === login) kept.delete(token);
    }
  }

  /** An access token ends before its time. */
  end = (token) => this.#access.delete(token);

  /** Whose access token it is, if it is any. */
  user(token) {
    const found = this.#access.get(token);
    return found && found.ends > now() ? found.user : undefined;
  }

  active = (token) => this.user(token) !== undefined || this.#refresh.has(token);
}
