// A server that knows nothing of tokens, behind the check and the log of gate.mjs.
//
//   node behind.mjs [option of gate.mjs]… -- /PATH[,/PATH…] COMMAND [ARG…]
//
// COMMAND listens at $PORT. What it prints that is a JSON object goes into the log.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { gate, note, positionals } from './gate.mjs';

const ATTEMPTS = 5;
const [paths, program, ...args] = positionals;

async function free() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

/** The port of the command; another one is tried if somebody else took it meanwhile. */
async function start() {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = await free();
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, PORT: port } });
    process.on('exit', () => child.kill('SIGKILL'));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) note(JSON.parse(line));
    });
    while (child.exitCode === null && child.signalCode === null) {
      if (await listens(port)) return port;
      await sleep(20);
    }
  }
  throw new Error(`${program} does not listen`);
}

const port = await start();
await gate(
  (req, res, _, body) =>
    new Promise((resolve, reject) => {
      const { method, url: path, headers } = req;
      const onward = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
        res.writeHead(answer.statusCode, answer.headers).flushHeaders();
        answer.pipe(res);
        answer.on('error', reject);
      });
      // A client that hangs up hangs up on the server.
      res.on('close', () => {
        onward.destroy();
        resolve();
      });
      onward.on('error', reject);
      onward.end(body);
    }),
  paths.split(','),
);
