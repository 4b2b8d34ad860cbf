import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunStatus } from '../../../src/local/status.ts';
import { makeView } from '../../../src/local/view.ts';

let written: string[] = [];

beforeEach(() => {
  written = [];
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const status = (processed: number): RunStatus => ({
  sent: 2_000,
  total: 2_000,
  processed,
  quarantined: 0,
  lagMs: 0,
  rate: 0,
  alarms: [],
  fed: [],
  top: undefined,
});

const processedIn = () =>
  written.flatMap((line) => /processed (\d+)/.exec(line)?.[1] ?? []).map(Number);

describe('the view where there is no terminal', () => {
  it('tells a line each two seconds, and the last status in the end', () => {
    const view = makeView(false);
    for (let processed = 0; processed <= 900; processed += 100) {
      view.status(status(processed));
      vi.advanceTimersByTime(500);
    }
    view.done();

    expect(processedIn()).toEqual([0, 400, 800, 900]);
    expect(written.every((line) => line.endsWith('\n') && !line.includes('\u001b'))).toBe(true);
  });

  it('says nothing in the end of what never began', () => {
    makeView(false).done();
    expect(written).toEqual([]);
  });

  it('names each step before and after it, and stops at the first that fails', async () => {
    const ran: string[] = [];
    const step = (title: string, run = async () => undefined) => ({
      title,
      run: async () => {
        ran.push(title);
        await run();
      },
    });
    const failing = async (): Promise<never> => {
      throw new Error('no room');
    };
    const steps = [step('one'), step('two', failing), step('three')];

    await expect(makeView(false).steps(steps)).rejects.toThrow('no room');

    expect(ran).toEqual(['one', 'two']);
    expect(written.join('')).toMatch(/one[\s\S]*one[\s\S]*two/);
  });

  it('leaves Ctrl-C to the command, which has to stop what was started', async () => {
    const before = process.listenerCount('SIGINT');
    let within = -1;
    const run = async () => {
      within = process.listenerCount('SIGINT');
    };
    await makeView(false).steps([{ title: 'one', run }]);
    expect(within).toBe(before);
  });
});

describe('a quiet view', () => {
  it('runs the steps and says nothing', async () => {
    const ran: string[] = [];
    const view = makeView(true);
    await view.steps(
      ['one', 'two'].map((title) => ({ title, run: async () => void ran.push(title) })),
    );
    view.status(status(1));
    view.notice('an alarm');
    view.done();
    expect(ran).toEqual(['one', 'two']);
    expect(written).toEqual([]);
  });
});
