import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { vi } from 'vitest';
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
    { stdio: 'ignore' },
  );
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  try {
    await vi.waitFor(() => fetch(endpoint), { timeout: 30_000, interval: 100 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
