import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { freePort } from '../../src/local/free-port.ts';
import { ROOT } from './sources.ts';

/** Where scripts/get-dynamodb-local.ts puts it. */
const DYNAMODB_LOCAL = path.join(ROOT, '.millrace', 'dynamodb-local', 'lib');

const JAVA_MIN = 17;
const FETCH_MS = 150_000;

/**
 * Sees to it that DynamoDB Local is there: Maven fetches it once.
 *
 * @returns why it can't be had, in words; undefined where it is there
 */
export function missingDynamoDbLocal(): string | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  const version = Number(/version "(\d+)/.exec(java.stderr ?? '')?.[1] ?? 0);
  if (version < JAVA_MIN) return `DynamoDB Local needs Java ${JAVA_MIN}: got ${version || 'none'}`;
  if (existsSync(DYNAMODB_LOCAL)) return undefined;
  if (spawnSync('mvn', ['-v']).status !== 0) return 'DynamoDB Local is fetched by Maven: got none';
  const script = path.join(ROOT, 'scripts', 'get-dynamodb-local.ts');
  const { status } = spawnSync(process.execPath, [script], { timeout: FETCH_MS });
  return status === 0 ? undefined : 'Maven could not fetch DynamoDB Local';
}

/** Starts DynamoDB Local in memory on a free port of the loopback interface. */
export async function startDynamoDbLocal(): Promise<{
  readonly endpoint: string;
  stop(): Promise<void>;
}> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // It leaves a file of its own where it is started.
  const cwd = mkdtempSync(path.join(tmpdir(), 'millrace-dynamodb-local-'));
  const child = spawn(
    'java',
    [
      `-Djava.library.path=${DYNAMODB_LOCAL}`,
      '-cp',
      path.join(DYNAMODB_LOCAL, '*'),
      'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
      '-inMemory',
      '-port',
      String(port),
    ],
    { cwd, stdio: 'ignore' },
  );
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(cwd, { recursive: true, force: true });
  };
  try {
    await vi.waitFor(() => fetch(endpoint), { timeout: 30_000, interval: 100 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, stop };
}
