import { describe, expect, it } from 'vitest';
import { makeMemoryTable } from '../../../src/adapters/memory/table.ts';
import { FIRST_LIVE, programOf, quarantineFolder } from '../../../src/core/generation.ts';
import { liveGeneration, swapGeneration } from '../../../src/handlers/live-generation.ts';
import type { Table } from '../../../src/ports/table.ts';
import { PROGRAMS } from '../../helpers/replay-pipelines.ts';
import { makeWorld } from '../../helpers/world.ts';

function context() {
  const { clock, random } = makeWorld();
  return { clock, random, deadlineMs: clock.now() + 10_000 };
}

describe('the live generation', () => {
  it('is the first one until another is made it, and again when it is swapped back', async () => {
    const ledger = makeMemoryTable();

    expect(await liveGeneration(ledger, context())).toEqual(FIRST_LIVE);
    expect(await swapGeneration(ledger, '2', context())).toEqual({ live: '2', before: '1' });
    expect(await liveGeneration(ledger, context())).toEqual({ live: '2', before: '1' });
    expect(await swapGeneration(ledger, '2', context())).toEqual({ live: '2', before: '1' });
    expect(await swapGeneration(ledger, '1', context())).toEqual({ live: '1', before: '2' });
    expect(await liveGeneration(ledger, context())).toEqual({ live: '1', before: '2' });
  });

  it.each(['1', '2'])('stays what another swap made it meanwhile, after %s', async (start) => {
    const ledger = makeMemoryTable();
    await swapGeneration(ledger, start, context());
    let isFirst = true;
    const slow: Table = {
      ...ledger,
      putIf: async (writes, options) => {
        if (isFirst) await swapGeneration(ledger, '4', context());
        isFirst = false;
        return ledger.putIf(writes, options);
      },
    };

    expect(await swapGeneration(slow, '3', context())).toEqual({ live: '4', before: start });
    expect((await liveGeneration(ledger, context())).live).toBe('4');
  });
});

describe('another generation than the first', () => {
  it('feeds no pipeline, and has its own place in quarantine', () => {
    const output = { name: 'late', to: 'delays' } as never;
    const program = { ...PROGRAMS.live, outputs: [output] };

    expect(programOf(program, '1').outputs).toEqual([output]);
    expect(programOf(program, '2').outputs).toEqual([]);
    expect(quarantineFolder('flights', '1')).toBe('flights');
    expect(quarantineFolder('flights', '2')).toBe('flights.generation-2');
  });
});
