/**
 * Holds that one set-up works in a checkout at a time. Plain Node 20, no dependencies.
 *
 * Invariants
 * 1. The lock names the process that holds it, and the child that it waits for. Who finds it gone takes
 *    over, and first stops that child: an installation that goes on would work against the next one.
 * 2. A child leads a process group of its own, so that it is stopped with all that it started.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const POLL_MS = 300;

/** How long a killed child may take to go, milliseconds. */
const GONE_MS = 5_000;

/** What children are started as; anything else has a child's id only by chance. */
const CHILD = /npm|pip|venv/;

/**
 * Takes the lock, and gives it back when this process ends. Waits for another set-up.
 *
 * @param say is told once whom it waits for
 */
export async function takeLock(directory, say) {
  mkdirSync(directory, { recursive: true });
  const file = fileOf(directory);
  for (let waited = false; !tryTake(file); ) {
    const holder = read(file);
    if (holder === undefined) continue;
    if (isAlive(holder.pid)) {
      if (!waited) say(`waiting for another set-up (process ${holder.pid}) ...`);
      waited = true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    } else {
      await stopLeft(holder.child);
      drop(file, holder);
    }
  }
  process.once('exit', () => rmSync(file, { force: true }));
}

/** Adds to the lock which child this process waits for. */
export function noteChild(directory, child) {
  const partial = `${fileOf(directory)}.${process.pid}`;
  writeFileSync(partial, `${process.pid} ${child ?? 0}`);
  renameSync(partial, fileOf(directory));
}

/** Sends a signal to a process group; one that is gone is no error. */
export function stopGroup(pid, signal) {
  if (!(pid > 0)) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

function fileOf(directory) {
  return path.join(directory, 'bootstrap.lock');
}

function tryTake(file) {
  try {
    writeFileSync(file, `${process.pid} 0`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

/** The lock's holder; one that was killed while it wrote has no id, as if it were gone. */
function read(file) {
  try {
    const text = readFileSync(file, 'utf8');
    const [pid = 0, child = 0] = text.split(' ').map(Number);
    return { text, pid, child };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Takes the lock away from who is gone; of two that try it, one gets another lock and puts it back. */
function drop(file, { text }) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') === text) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

function isAlive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function stopLeft(child) {
  if (!(child > 0) || !CHILD.test(commandOf(child))) return;
  const end = Date.now() + GONE_MS;
  stopGroup(child, 'SIGKILL');
  while (stopGroup(child, 0) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS / 3));
  }
}

function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return (
      spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? ''
    );
  }
}
