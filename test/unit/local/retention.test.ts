import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { compile } from '../../../src/core/compile.ts';
import { type Kept, keptBy } from '../../../src/local/retention.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function kept(what: string, where?: Kept['where'], pipeline = smallPipeline): Kept | undefined {
  return keptBy(compile(pipeline)).find(
    (one) => one.what.startsWith(what) && (where === undefined || one.where === where),
  );
}

describe('what is kept', () => {
  it('is as long as the pipeline says', () => {
    expect(kept('records', 'stream')?.forMs).toBe(DAY_MS);
    expect(kept('window places')).toMatchObject({ forMs: 30 * DAY_MS, isLonger: false });
    expect(kept('single events')?.forMs).toBe(DAY_MS);
    expect(kept('refused events, index')?.forMs).toBe(30 * DAY_MS);
    expect(kept('copies of refused events that are brought back')?.forMs).toBe(30 * DAY_MS);
    expect(kept('records', 'archive bucket')?.forMs).toBe(365 * DAY_MS);
  });

  it('is longer where an event of a window can still come', () => {
    const { retention } = smallPipeline;
    const short = { ...smallPipeline, retention: { ...retention, windows: '1 hour' as const } };
    const window = kept('window places', 'aggregates', short as typeof smallPipeline);
    expect(window?.isLonger).toBe(true);
    expect(window?.forMs).toBeGreaterThan(DAY_MS);
  });

  it('says what is not kept', () => {
    const { retention } = smallPipeline;
    const none = { ...smallPipeline, retention: { ...retention, events: null, archive: null } };
    const pipeline = none as unknown as typeof smallPipeline;
    expect(kept('single events', 'events', pipeline)?.forMs).toBeUndefined();
    expect(kept('records', 'archive bucket', pipeline)?.forMs).toBeUndefined();
  });

  it('is told by a command, with what a GB costs', async () => {
    const printed: string[] = [];
    const code = await main(['retention', '--pipeline', 'flights'], {
      env: {},
      signal: new AbortController().signal,
      print: (line) => printed.push(line),
      complain: () => undefined,
      exitCode: 0,
    });
    const text = printed.join('\n');
    expect(code).toBe(0);
    expect(text).toMatch(/stream +\d+ days? +records, as they were sent/);
    expect(text).toMatch(/aggregates +\d+ days .*window origins/);
    expect(text).toContain('0.45 a GB and month');
    expect(text).toMatch(/ledger +for ever/);
  });
});
