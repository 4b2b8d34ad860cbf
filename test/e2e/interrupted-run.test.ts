import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isGroupAlive, stopGroup } from '../../src/local/child.ts';
import { cloneCheckout } from '../helpers/clone.ts';

let clone = '';
let emulators: number[] = [];

beforeAll(() => {
  clone = cloneCheckout();
});

afterEach(() => {
  for (const pid of emulators) stopGroup(pid, 'SIGKILL');
  emulators = [];
});

afterAll(() => rmSync(clone, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  /** Every line so far. */
  readonly lines: string[];
  /** Resolves with the emulator's process once a line of the run starts so. */
  until(start: string): Promise<number>;
}

/** Starts a run as a shell does: its children are in its own group. */
function start(...flags: string[]): Started {
  const args = ['bin/millrace.ts', 'start', '--pipeline', 'earthquakes', ...flags];
  const env = { ...process.env, AWS_ENDPOINT_URL: undefined };
  const child = spawn(process.execPath, args, {
    cwd: clone,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr ?? process.stdin });
  reader.on('line', (line) => lines.push(line));
  const until = async (text: string) => {
    while (!lines.some((line) => line.startsWith(text))) {
      await Promise.race([once(reader, 'line'), once(reader, 'close').then(() => ended(lines))]);
    }
    const note = readFileSync(path.join(clone, '.millrace', 'local', 'emulator.json'), 'utf8');
    const { pid }: { pid: number } = JSON.parse(note);
    emulators.push(pid);
    return pid;
  };
  return { child, lines, until };
}

function ended(lines: readonly string[]): never {
  throw new Error(`the run ended early:\n${lines.join('\n')}`);
}

describe.runIf(process.env.AWS_ENDPOINT_URL === undefined)('a run that is interrupted', () => {
  it.each([
    ['it synthesises', '❯ synthesise'],
    ['it deploys', '❯ deploy'],
    ['events flow', 'in '],
  ])(
    'stops all that it started when it is told while %s',
    async (_while, line) => {
      const run = start('--rate', '200', '--keep');
      const emulator = await run.until(line);

      run.child.kill('SIGINT');
      const [code] = await once(run.child, 'close');

      expect(code).toBe(130);
      expect(run.lines.at(-1)).toContain('Interrupted');
      expect(isGroupAlive(emulator)).toBe(false);
    },
    300_000,
  );

  it('leaves nothing in the way of the next one when it is killed', async () => {
    const killed = start('--rate', '200');
    const left = await killed.until('in ');
    killed.child.kill('SIGKILL');
    await once(killed.child, 'close');
    expect(isGroupAlive(left)).toBe(true);

    const next = start('--rate', '0', '--events', '300');
    await next.until('in ');
    const [code] = await once(next.child, 'close');

    expect(code, next.lines.join('\n')).toBe(0);
    expect(isGroupAlive(left)).toBe(false);
  }, 300_000);
});
