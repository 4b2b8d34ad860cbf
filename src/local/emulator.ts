import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isGroupAlive, startChild, stopGroup } from './child.ts';
import { freePort } from './free-port.ts';
import { CommandError, EXIT } from './local-error.ts';
import { STATE } from './paths.ts';
import { commandOf, tellsCommands } from './process-command.ts';
import { writeWhole } from './write-whole.ts';

/** A local AWS endpoint that runs as our child. */
export interface Emulator {
  /** Such as `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  readonly pid: number;
  /** An earlier run had left it running. */
  readonly taken: boolean;
  /** Ends it with everything that it started. */
  stop(): Promise<void>;
}

/** What the emulator is started with. */
export interface EmulatorOptions {
  /** Its own folder, for its pid, logs and temporary files; made if missing. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  /** Take the one that an earlier run kept alive, if there is one. Default false. */
  readonly keep?: boolean;
}

const PYTHON = path.join(STATE, 'venv', 'bin', 'python');

/** How long it may take to answer, and to end when it is told to; milliseconds. */
const READY_MS = 30_000;
const GRACE_MS = 3_000;
const POLL_MS = 50;

/**
 * Starts MiniStack on a free port of the loopback interface, in a process group of its own, and waits
 * until it answers. One that an earlier run left in the same folder is stopped first.
 *
 * @throws CommandError when the virtual environment is missing or it does not come up
 */
export async function startEmulator({
  directory,
  signal,
  keep = false,
}: EmulatorOptions): Promise<Emulator> {
  if (!existsSync(PYTHON)) {
    throw new CommandError('The local cloud is not installed', {
      exitCode: EXIT.missing,
      detail: `got no ${PYTHON}, expected the virtual environment that the set-up makes`,
      next: 'node scripts/bootstrap.mjs',
    });
  }
  const temporary = path.join(directory, 'tmp');
  mkdirSync(directory, { recursive: true });
  const kept = keep ? await findKept(directory) : undefined;
  if (kept !== undefined) return kept;
  await stopStale(directory);
  mkdirSync(temporary, { recursive: true });
  // Its Lambda workers are CommonJS files below: without this they would be taken for this package's ESM.
  writeFileSync(path.join(temporary, 'package.json'), '{"type":"commonjs"}');
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = startChild({
    command: PYTHON,
    args: ['-m', 'ministack'],
    env: settings(port, temporary),
    logFile: path.join(directory, 'emulator.log'),
    group: true,
  });
  const { pid } = child;
  if (pid === undefined) throw notReady(directory, 'it could not be started');
  // Not waited for at the end of this process: with --keep it lives on.
  child.unref();
  writeWhole(noteOf(directory), JSON.stringify({ pid, endpoint }));
  const stop = () => stopAndForget(directory, pid);
  try {
    await untilReady({ endpoint, directory, gone: () => child.exitCode !== null, signal });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, pid, taken: false, stop };
}

/** BIND_HOST matters: its default is every interface. The SDKs in its functions reach it by the endpoint. */
function settings(port: number, temporary: string): Readonly<Record<string, string>> {
  return {
    GATEWAY_PORT: String(port),
    BIND_HOST: '127.0.0.1',
    MINISTACK_HOST: '127.0.0.1',
    TMPDIR: temporary,
    S3_DATA_DIR: path.join(temporary, 's3'),
    LOG_LEVEL: 'WARNING',
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    LAMBDA_WARM_TTL_SECONDS: '600',
  };
}

interface Waiting {
  readonly endpoint: string;
  readonly directory: string;
  readonly gone: () => boolean;
  readonly signal: AbortSignal | undefined;
}

async function untilReady({ endpoint, directory, gone, signal }: Waiting): Promise<void> {
  const end = Date.now() + READY_MS;
  while (Date.now() < end) {
    signal?.throwIfAborted();
    if (gone()) throw notReady(directory, 'it ended at once');
    if (await isReady(endpoint)) return;
    await delay(POLL_MS);
  }
  throw notReady(directory, `it did not answer within ${READY_MS / 1000} s`);
}

function notReady(directory: string, detail: string): CommandError {
  return new CommandError('The local cloud did not start', {
    exitCode: EXIT.refused,
    detail: `${detail}, expected an answer of its health page`,
    next: `look at ${path.join(directory, 'emulator.log')}`,
  });
}

/** Its Lambda workers keep it from ending by itself, so the group is killed after a moment. */
async function stopAll(pid: number): Promise<void> {
  stopGroup(pid, 'SIGTERM');
  const end = Date.now() + GRACE_MS;
  while (isGroupAlive(pid) && Date.now() < end) await delay(POLL_MS);
  stopGroup(pid, 'SIGKILL');
  while (isGroupAlive(pid)) await delay(POLL_MS);
}

function noteOf(directory: string): string {
  return path.join(directory, 'emulator.json');
}

async function stopAndForget(directory: string, pid: number): Promise<void> {
  await stopAll(pid);
  rmSync(noteOf(directory), { force: true });
  rmSync(path.join(directory, 'tmp'), { recursive: true, force: true });
}

/** The emulator that was noted in the folder, if it still is one of ours. */
function noted(directory: string): { readonly pid: number; readonly endpoint: string } | undefined {
  const file = noteOf(directory);
  if (!existsSync(file)) return undefined;
  const note: { pid: number; endpoint: string } = JSON.parse(readFileSync(file, 'utf8'));
  return note.pid > 0 && isEmulator(note.pid) ? note : undefined;
}

async function findKept(directory: string): Promise<Emulator | undefined> {
  const note = noted(directory);
  if (note === undefined || !(await isReady(note.endpoint))) return undefined;
  return { ...note, taken: true, stop: () => stopAndForget(directory, note.pid) };
}

/** Endpoint of the emulator that a run with --keep left running, or undefined where there is none. */
export async function keptEndpoint(directory: string): Promise<string | undefined> {
  return (await findKept(directory))?.endpoint;
}

/** Stops what an earlier run left running. */
async function stopStale(directory: string): Promise<void> {
  const note = noted(directory);
  if (note !== undefined) await stopAll(note.pid);
  rmSync(noteOf(directory), { force: true });
  rmSync(path.join(directory, 'tmp'), { recursive: true, force: true });
}

async function isReady(endpoint: string): Promise<boolean> {
  const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
  return answer?.ok === true;
}

/** Where the system tells no commands, a live group of that id is taken for ours. */
function isEmulator(pid: number): boolean {
  return tellsCommands() ? commandOf(pid)?.includes('ministack') === true : isGroupAlive(pid);
}
