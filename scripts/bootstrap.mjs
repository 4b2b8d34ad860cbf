/**
 * Sets up everything that the project needs beside a system Node >= 20 and Python 3.10 to 3.14: npm
 * packages (with Node 24 among them) and a virtual environment with the local cloud. Plain Node 20,
 * no dependencies; runs before `npm start`, `npm test` and `npm run check`.
 *
 * Invariants
 * 1. A part is done when its stamp holds the hash of its lock file; the stamp is written last, so an
 *    interrupted part is made again from the start.
 * 2. Two set-ups never work at once, see bootstrap-lock.mjs.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { noteChild, stopGroup, takeLock } from './bootstrap-lock.mjs';

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const STATE = path.join(ROOT, '.millrace');
const VENV = path.join(STATE, 'venv');
const REQUIREMENTS = path.join(ROOT, 'scripts', 'python', 'requirements.txt');

/** The Node that the packages bring, found first by everything that npm runs. */
const OWN_NODE = path.join(ROOT, 'node_modules', '.bin', 'node');

/** Exit code: a prerequisite is missing. */
const MISSING = 3;

/** Least Node that this file runs on, and that everything else does. */
const NODE_MIN = 20;
const NODE_RUN_MIN = 24;

/** The second numbers of the Python 3 versions that the lock has packages for. */
const PYTHON_MINORS = { least: 10, greatest: 14 };
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

/** True for a version text such as `Python 3.11.7` that the lock has packages for. */
export function isPythonUsable(text) {
  const minor = Number(/^Python 3\.(\d+)/.exec(text)?.[1] ?? Number.NaN);
  return minor >= PYTHON_MINORS.least && minor <= PYTHON_MINORS.greatest;
}

/** One sentence for what `python -m venv` or pip said. */
export function explainPython(output) {
  if (/ensurepip|python3?-?[\d.]*-venv|No module named '?venv/.test(output)) {
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

/** One sentence for what `npm ci` said: its last line only names a log file. */
export function explainNpm(output) {
  const said = output
    .split('\n')
    .filter((line) => line.startsWith('npm error '))
    .map((line) => line.slice('npm error '.length).trim())
    .filter((line) => line !== '' && !/^(code|errno|syscall|path|dest) |complete log/.test(line));
  const why = said[0] ?? output.trim().split('\n').at(-1);
  return `npm could not install the packages: ${why}`;
}

/** The parts, each with the lock files that decide whether it is up to date. */
export function partsOf(root) {
  return [
    {
      name: 'npm packages',
      stamp: path.join(root, 'node_modules', '.millrace-stamp'),
      locks: [path.join(root, 'package-lock.json')],
      needs: path.join(root, 'node_modules', '.bin', 'vitest'),
      make: installPackages,
    },
    {
      name: 'local cloud (Python)',
      stamp: path.join(root, '.millrace', 'venv', '.millrace-stamp'),
      locks: [path.join(root, 'scripts', 'python', 'requirements.txt')],
      // A link to the system's Python, which may have been replaced by another version.
      needs: path.join(root, '.millrace', 'venv', 'bin', 'python'),
      make: makeVenv,
    },
  ];
}

/** True when the stamp holds the hash of the lock files, and what was made is still there. */
export function isDone({ stamp, locks, needs }) {
  return existsSync(needs) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hashOf(locks);
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

async function installPackages() {
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], explainNpm);
  chooseNode();
}

/**
 * A system Node that is new enough is used as it is; else the one of the packages, which only Linux
 * gets. npm puts that one first, so it says itself which Node it was started with.
 */
function chooseNode() {
  const system = process.env.npm_node_execpath ?? process.execPath;
  if (system.startsWith(path.join(ROOT, 'node_modules'))) return;
  const version = versionOf(system);
  if (majorOf(version) >= NODE_RUN_MIN) rmSync(OWN_NODE, { force: true });
  else if (majorOf(versionOf(OWN_NODE)) < NODE_RUN_MIN) throw noNode(version);
}

/** After a step back to an older system Node, the one of the packages takes its place again. */
function restoreNode() {
  if (majorOf(process.version) >= NODE_RUN_MIN || existsSync(OWN_NODE)) return;
  const target = path.join('..', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (!existsSync(path.join(OWN_NODE, '..', target))) throw noNode(process.version);
  symlinkSync(target, OWN_NODE);
}

function versionOf(node) {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout ?? '';
}

function noNode(version) {
  return new MissingError(
    `Node ${NODE_RUN_MIN} or newer is missing: this is ${version.trim()}, and only Linux (x64, arm64) gets one with the packages; install it, then try again.`,
  );
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
    if (status === 0 && isPythonUsable(stdout)) return name;
  }
  throw new MissingError(
    `Python 3.${PYTHON_MINORS.least} to 3.${PYTHON_MINORS.greatest} is missing: install one of them, then try again.`,
  );
}

/** Runs a command quietly, and explains what it said when it fails. */
function run(command, args, explain) {
  return new Promise((resolve, reject) => {
    let output = '';
    const stdio = ['ignore', 'pipe', 'pipe'];
    // Before the child is there: a signal that came in between would end this process and leave the child.
    const stop = () => stopGroup(child.pid, 'SIGTERM');
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    const child = spawn(command, args, { cwd: ROOT, stdio, detached: true });
    noteChild(STATE, child.pid);
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

/** Does what is not done. */
export async function bootstrap() {
  if (majorOf(process.version) < NODE_MIN) {
    throw new MissingError(
      `Node ${NODE_MIN} or newer is missing: this is ${process.version}; install it, then try again.`,
    );
  }
  if (partsOf(ROOT).every(isDone)) return restoreNode();
  await takeLock(STATE, (line) => process.stderr.write(`set-up: ${line}\n`));
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
