/**
 * Sets up everything that the project needs beside a system Node >= 20 and Python >= 3.10: npm
 * packages (with Node 24 among them) and a virtual environment with the local cloud. Plain Node 20,
 * no dependencies; runs before `npm start`, `npm test` and `npm run check`.
 *
 * Invariants
 * 1. A part is done when its stamp holds the hash of its lock file; the stamp is written last, so an
 *    interrupted part is made again from the start.
 * 2. Two set-ups never work at once: the second waits for the first, and takes over the lock of a
 *    process that is gone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const STATE = path.join(ROOT, '.millrace');
const LOCK = path.join(STATE, 'bootstrap.lock');
const VENV = path.join(STATE, 'venv');
const REQUIREMENTS = path.join(ROOT, 'scripts', 'python', 'requirements.txt');

/** Exit code: a prerequisite is missing. */
const MISSING = 3;

const NODE_MIN = 20;
const PYTHON_MIN = [3, 10];
const PYTHONS = [
  'python3',
  'python3.14',
  'python3.13',
  'python3.12',
  'python3.11',
  'python3.10',
  'python',
];

/** Something that only the user can put right, in one sentence. */
export class MissingError extends Error {
  name = 'MissingError';
}

/** The major version in a text such as `v20.20.2`. */
export function majorOf(version) {
  return Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0);
}

/** True for a version text such as `Python 3.11.7` that is new enough. */
export function isPythonEnough(text) {
  const match = /^Python (\d+)\.(\d+)/.exec(text);
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > PYTHON_MIN[0] || (major === PYTHON_MIN[0] && minor >= PYTHON_MIN[1]);
}

/** One sentence for what `python -m venv` or pip said. */
export function explainPython(output) {
  if (/ensurepip|python3?-?[\d.]*-venv/.test(output)) {
    return 'Python has no venv module with pip: on Debian and Ubuntu run `apt-get install python3-venv`, then try again.';
  }
  if (
    /No matching distribution|Could not find a version|ConnectionError|Temporary failure|Network is unreachable/i.test(
      output,
    )
  ) {
    return 'The Python packages could not be downloaded: check the network or the package index that pip uses, then try again.';
  }
  return `Python could not set up the local cloud: ${output.trim().split('\n').at(-1)}`;
}

/** The parts, each with the lock files that decide whether it is up to date. */
export function partsOf(root) {
  return [
    {
      name: 'npm packages',
      stamp: path.join(root, 'node_modules', '.millrace-stamp'),
      locks: [path.join(root, 'package-lock.json')],
      make: installPackages,
    },
    {
      name: 'local cloud (Python)',
      stamp: path.join(root, '.millrace', 'venv', '.millrace-stamp'),
      locks: [path.join(root, 'scripts', 'python', 'requirements.txt')],
      make: makeVenv,
    },
  ];
}

/** True when the stamp holds the hash of the lock files. */
export function isDone(part) {
  return existsSync(part.stamp) && readFileSync(part.stamp, 'utf8') === hashOf(part.locks);
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

async function installPackages() {
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], (output) => {
    return `npm could not install the packages: ${output.trim().split('\n').at(-1)}`;
  });
}

async function makeVenv() {
  const python = findPython();
  rmSync(VENV, { recursive: true, force: true });
  await run(python, ['-m', 'venv', VENV], explainPython);
  const pip = path.join(VENV, 'bin', 'python');
  const quiet = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
  await run(
    pip,
    [...quiet, '--require-hashes', '--only-binary=:all:', '-r', REQUIREMENTS],
    explainPython,
  );
}

function findPython() {
  for (const name of PYTHONS) {
    const { stdout, status } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (status === 0 && isPythonEnough(stdout)) return name;
  }
  throw new MissingError(
    `Python ${PYTHON_MIN.join('.')} or newer is missing: install it, then try again.`,
  );
}

/** Runs a command quietly, and explains what it said when it fails. */
function run(command, args, explain) {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = () => child.kill('SIGTERM');
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    const keep = (data) => {
      output = (output + data).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) =>
      reject(new MissingError(`${command} could not be started: ${error.message}.`)),
    );
    child.on('close', (code, signal) => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      if (code === 0) resolve(undefined);
      else if (signal !== null || code === 130) process.exit(130);
      else reject(new MissingError(explain(output)));
    });
  });
}

/** Shows a part's progress: one line that counts seconds in a terminal, a plain line elsewhere. */
async function showing(name, work) {
  const started = Date.now();
  const seconds = () => ((Date.now() - started) / 1000).toFixed(0);
  const terminal = process.stderr.isTTY;
  if (!terminal) process.stderr.write(`set-up: ${name} ...\n`);
  const tick = () => process.stderr.write(`\rset-up: ${name} ... ${seconds()} s`);
  const timer = terminal ? setInterval(tick, 200) : undefined;
  try {
    await work();
  } finally {
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\u001b[K');
  }
  process.stderr.write(`set-up: ${name} done in ${seconds()} s\n`);
}

async function takeLock() {
  mkdirSync(STATE, { recursive: true });
  for (;;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      process.once('exit', () => rmSync(LOCK, { force: true }));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale()) rmSync(LOCK, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

function isStale() {
  try {
    const pid = Number(readFileSync(LOCK, 'utf8'));
    if (!(pid > 0)) return true;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code !== 'EPERM';
  }
}

/** Does what is not done. */
export async function bootstrap() {
  if (majorOf(process.version) < NODE_MIN) {
    throw new MissingError(
      `Node ${NODE_MIN} or newer is missing: this is ${process.version}; install it, then try again.`,
    );
  }
  if (partsOf(ROOT).every(isDone)) return;
  await takeLock();
  for (const part of partsOf(ROOT)) {
    if (isDone(part)) continue;
    rmSync(part.stamp, { force: true });
    await showing(part.name, part.make);
    writeFileSync(part.stamp, hashOf(part.locks));
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  bootstrap().catch((error) => {
    process.stderr.write(`${error instanceof MissingError ? error.message : error.stack}\n`);
    process.exit(error instanceof MissingError ? MISSING : 1);
  });
}
