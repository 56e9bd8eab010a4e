// A small MCP client over stdio: starts the program under test, speaks the wire of one revision of MCP, or finds
// out which one to speak, and waits for nothing without a bound. It is no SDK: it sends what is written here and
// nothing else.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { STATELESS, wire } from './hosts.mjs';

/** Longer than the 20 seconds that the proxy lets a request wait for a sign-in. */
const ANSWER_MS = 25_000;
/** At its end the proxy may wait 10 seconds for a renewal. */
const END_MS = 12_000;
const SAID_LONGEST = 500;
const UNSUPPORTED_VERSION = -32022;

const info = { name: 'conformance-driver', version: '1.0.0' };
const capabilities = { elicitation: {} };

export class Client {
  #pending = new Map();
  #next = 1;
  /** The end of what it wrote on stderr. */
  #said = '';
  /** Why nothing more is to be waited for. */
  #over;

  /** `program` with `args` and exactly this environment; a `host` of hosts.mjs, in a scenario of this revision. */
  constructor({ program, args, env, host, revision }) {
    this.revision = wire(host, revision);
    this.probes = host === 'dual';
    /** What a server without the newer revision is spoken to in. */
    this.older = wire('legacy', revision);
    this.child = spawn(program, args, { env, stdio: 'pipe' });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => resolve(signal ?? code));
      this.child.on('error', (error) => resolve(error.message));
    });
    this.ended.then((how) => this.#fail(`the proxy ended (${how}) before it answered: ${this.#said.trim()}`));
    // Writing to a proxy that has ended is no failure of ours; its end is noticed above.
    this.child.stdin.on('error', () => {});
    this.child.stderr.on('data', (data) => (this.#said = `${this.#said}${data}`.slice(-SAID_LONGEST)));
    this.child.stderr.pipe(process.stderr);
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#read(line));
  }

  /** What a client does first; nothing since 2026-07-28. Answers with the answer to `initialize`. */
  async open() {
    if (this.probes && !(await this.#isStateless())) this.revision = this.older;
    if (this.revision >= STATELESS) return undefined;
    const params = { protocolVersion: this.revision, capabilities, clientInfo: info };
    const answer = await this.#send('initialize', params);
    if (answer.error === undefined) this.#write({ method: 'notifications/initialized' });
    return answer;
  }

  /** One request, and its answer: `{result}` or `{error}`. */
  async request(method, params = {}) {
    let answer = await this.#send(method, params);
    // The server's first word may be that it speaks another revision; ours is asked for once more.
    if (answer.error?.code === UNSUPPORTED_VERSION && answer.error.data?.supported?.includes(this.revision)) {
      answer = await this.#send(method, params);
    }
    // Since 2026-07-28 the server asks back in its answer, and the client repeats the request with the reply.
    if (answer.result?.resultType === 'input_required') {
      const { inputRequests = {}, requestState } = answer.result;
      const replies = Object.entries(inputRequests).map(([key, asked]) => [key, accept(asked.params)]);
      const state = requestState === undefined ? {} : { requestState };
      answer = await this.#send(method, { ...params, inputResponses: Object.fromEntries(replies), ...state });
    }
    return answer;
  }

  /** Closes stdin, as clients do at their end, and answers with the exit code. */
  async close() {
    this.child.stdin.end();
    const how = await Promise.race([this.ended, sleep(END_MS, 'still running', { ref: false })]);
    this.child.kill('SIGKILL');
    return how;
  }

  /** Any error but that of another version means an older server (2026-07-28, versioning). */
  async #isStateless() {
    const { result, error } = await this.#send('server/discover', {});
    const versions = result?.supportedVersions ?? error?.data?.supported ?? [];
    return versions.includes(STATELESS);
  }

  async #send(method, params) {
    if (this.#over !== undefined) throw new Error(this.#over);
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    const why = `no answer to ${method} within ${ANSWER_MS / 1000} s`;
    const late = setTimeout(() => this.#fail(why), ANSWER_MS);
    this.#write({ id, method, params: this.#dated(params) });
    return answer.finally(() => clearTimeout(late));
  }

  #dated(params) {
    if (this.revision < STATELESS) return params;
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': this.revision,
      'io.modelcontextprotocol/clientInfo': info,
      'io.modelcontextprotocol/clientCapabilities': capabilities,
    };
    return { ...params, _meta };
  }

  #write(message) {
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  #read(line) {
    let message;
    try {
      message = JSON.parse(line);
    } catch {
      this.#fail(`the proxy wrote what is no JSON: ${line.slice(0, 200)}`);
      return;
    }
    if (message.method !== undefined) {
      if (message.id !== undefined) this.#write({ id: message.id, ...reply(message) });
    } else {
      this.#pending.get(message.id)?.resolve(message);
      this.#pending.delete(message.id);
    }
  }

  #fail(why) {
    this.#over ??= why;
    for (const { reject } of this.#pending.values()) reject(new Error(why));
    this.#pending.clear();
  }
}

/** The answer to a request of the server. */
function reply({ method, params }) {
  if (method === 'ping') return { result: {} };
  if (method === 'elicitation/create') return { result: accept(params) };
  return { error: { code: -32601, message: 'not offered' } };
}

/** A person who agrees, and leaves every field as the form proposes it. */
function accept(params) {
  const fields = Object.entries(params?.requestedSchema?.properties ?? {});
  const filled = ({ default: proposed, type }) => proposed ?? (type === 'boolean' || undefined);
  return { action: 'accept', content: Object.fromEntries(fields.map(([name, field]) => [name, filled(field)])) };
}
