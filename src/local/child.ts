import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import path from 'node:path';
import { ROOT } from './paths.ts';

/** Credentials that no cloud accepts: real ones must never reach a local run. */
const FAKE = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
} as const;

/** Loopback is never reached through a proxy, whatever the machine uses for the world. */
const LOOPBACK = '127.0.0.1,localhost,::1';

/**
 * The environment of every process of a local run: this one's without anything of AWS, fake
 * credentials instead, and Node 24 first in the path.
 */
export function localEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('AWS_') && name !== 'NODE_OPTIONS',
  );
  const bin = path.join(ROOT, 'node_modules', '.bin');
  const direct = [LOOPBACK, process.env.NO_PROXY ?? process.env.no_proxy ?? []].flat().join();
  return {
    ...Object.fromEntries(kept),
    PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`,
    NO_PROXY: direct,
    no_proxy: direct,
    ...FAKE,
    ...extra,
  };
}

/** Replaces the AWS settings of this very process by those of a local run. */
export function adoptLocalEnvironment(endpoint: string): void {
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, FAKE, endpointVariables(endpoint));
}

/** What the SDKs and the CDK read the endpoint from. */
export function endpointVariables(endpoint: string): Readonly<Record<string, string>> {
  return { AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: endpoint };
}

/** What a child is started with. */
export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Everything that it says goes here. */
  readonly logFile: string;
  /** A group of its own, to be stopped with everything that it started. */
  readonly group?: boolean;
}

/** Starts a process whose output goes to a file, so that it can outlive this process. */
export function startChild(options: ChildOptions): ChildProcess {
  const log = openSync(options.logFile, 'a');
  try {
    return spawn(options.command, options.args, {
      cwd: ROOT,
      env: localEnvironment(options.env),
      stdio: ['ignore', log, log],
      detached: options.group === true,
    });
  } finally {
    closeSync(log);
  }
}

/** Runs a process to its end. Resolves with its exit code and the end of its log. */
export function runChild(
  options: ChildOptions,
  signal: AbortSignal,
): Promise<{ readonly code: number | null; readonly output: string }> {
  signal.throwIfAborted();
  const child = startChild({ ...options, group: true });
  const stop = () => stopGroup(child.pid, 'SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(signal.reason);
      else resolve({ code, output: readFileSync(options.logFile, 'utf8').slice(-4_000) });
    });
  });
}

/** Sends a signal to a process group; a group that is gone is no error. */
export function stopGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** True while any process of the group lives. */
export function isGroupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
