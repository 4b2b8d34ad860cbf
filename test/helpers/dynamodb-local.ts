import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { freePort } from '../../src/local/free-port.ts';
import { ROOT } from './sources.ts';

/** Where scripts/get-dynamodb-local.ts puts it. */
export const DYNAMODB_LOCAL = path.join(ROOT, '.millrace', 'dynamodb-local', 'lib');

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
