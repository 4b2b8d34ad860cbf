import { beforeAll, describe, expect, it } from 'vitest';
import { gapsOf } from '../../src/core/archive-coverage.ts';
import { ARCHIVE_PREFIX } from '../../src/core/contract.ts';
import { compareSequences } from '../../src/core/position.ts';
import type { ArchivePorts } from '../../src/handlers/ports.ts';
import { NO_FAULTS } from '../../src/sim/faults.ts';
import type { SimResult } from '../../src/sim/schedule.ts';
import {
  archiveProblems,
  archiverWith,
  type Bug,
  objectsIn,
  simulateArchive as run,
} from '../helpers/archive-sim.ts';
import { smallOptions } from '../helpers/simulate-small.ts';

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 60);
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1);
const SEEDS_FROM_HERE = Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index);

let results: readonly SimResult[] = [];

beforeAll(async () => {
  const all: SimResult[] = [];
  for (const seed of SEEDS_FROM_HERE) all.push(await run(seed));
  results = all;
}, 120_000);

describe('the archiver under faults', () => {
  it('archives every record: names leave no gap, and what is read back equals the stream', async () => {
    const broken: Record<number, readonly string[]> = {};
    for (const result of results) {
      const problems = await archiveProblems(result);
      if (problems.length > 0) broken[result.seed] = problems;
    }

    expect(broken).toEqual({});
  });

  it('met every fault at every kind of request, overlapping objects, hours and shards', () => {
    const hits = new Set(results.flatMap((result) => Object.keys(result.hits)));
    const counts = new Set(results.flatMap((result) => Object.keys(result.counts)));
    for (const request of ['ledger.get tail', 'ledger.putIf tail', 'bucket.put']) {
      for (const fault of ['refuse', 'loseAnswer', 'applyLate', 'crash', 'slow']) {
        if (request === 'ledger.putIf tail' && fault === 'slow') continue;
        expect(hits, `${request} ${fault}`).toContain(`${request} ${fault}`);
      }
    }
    for (const event of ['split', 'merge', 'loseCheckpoint', 'throttled invocation']) {
      expect(counts).toContain(event);
    }
    const objects = results.map(objectsIn);
    expect(objects.some((some) => new Set(some.map(({ hourMs }) => hourMs)).size > 1)).toBe(true);
    const overlapping = objects.filter((some) =>
      some.some((one) =>
        some.some(
          (other) => other !== one && other.first === one.first && other.shard === one.shard,
        ),
      ),
    );
    expect(overlapping.length).toBeGreaterThan(3);
  });

  it('tells a gap when any object is deleted, unless others hold its records', async () => {
    let told = 0;
    for (const result of results.slice(0, 15)) {
      for (const [shard, records] of Map.groupBy(result.records, (record) => record.shard)) {
        const own = objectsIn(result).filter((object) => object.shard === shard);
        const [first, last] = [records[0]?.sequence, records.at(-1)?.sequence];
        for (const deleted of own) {
          const left = own.filter((object) => object !== deleted);
          const lost = records.filter(
            ({ sequence }) =>
              !left.some(
                (object) =>
                  compareSequences(sequence, object.first) >= 0 &&
                  compareSequences(sequence, object.last) <= 0,
              ),
          );
          expect(gapsOf(left, { first, last }).length > 0).toBe(lost.length > 0);
          if (lost.length > 0) told += 1;
        }
      }
    }
    expect(told).toBeGreaterThan(100);
  });

  it('survives a crash before and after each request', async () => {
    const [seed = 1] = SEEDS_FROM_HERE;
    const quiet = { events: smallOptions(seed, { count: 20 }).events, faults: NO_FAULTS };
    const { requests } = await run(seed, quiet);
    const broken: string[] = [];
    for (let request = 1; request <= requests; request += 1) {
      for (const phase of ['before', 'after'] as const) {
        const result = await run(seed, { ...quiet, crashAt: { request, phase } });
        expect(result.counts.crash).toBe(1);
        const problems = await archiveProblems(result);
        if (problems.length > 0) broken.push(`${phase} ${request}: ${problems.join()}`);
      }
    }

    expect(requests).toBeGreaterThan(8);
    expect(broken).toEqual([]);
  });

  it('is the same for the same seed', async () => {
    const [seed = 1] = SEEDS_FROM_HERE;
    const again = await run(seed);
    expect(again.hash).toBe(results[0]?.hash);
    const keys = (result: SimResult) => [...result.world.quarantine.objects.keys()].sort();
    expect(keys(again)).toEqual(results[0] && keys(results[0]));
    expect(keys(again).every((key) => key.startsWith(ARCHIVE_PREFIX))).toBe(true);
  });
});

const BUGS: Readonly<Record<string, Bug>> = {
  'an object that was acknowledged and is not there': (ports) => {
    let puts = 0;
    const put: ArchivePorts['archive']['put'] = async (...args) => {
      puts += 1;
      if (puts % 5 > 0) await ports.archive.put(...args);
    };
    return { ...ports, archive: { ...ports.archive, put } };
  },
  'a tail that is moved before the object is durable': (ports) => {
    const put: ArchivePorts['archive']['put'] = async (...args) => {
      await ports.archive.put(...args).catch(() => undefined);
    };
    return { ...ports, archive: { ...ports.archive, put } };
  },
  'a tail that is written whatever it was': (ports) => {
    const putIf: ArchivePorts['ledger']['putIf'] = (writes, options) =>
      ports.ledger.putAll(
        writes.map(({ item }) => item),
        options,
      );
    return { ...ports, ledger: { ...ports.ledger, putIf } };
  },
};

describe('what would go wrong without a rule is seen', () => {
  it.each(Object.entries(BUGS))(
    '%s',
    async (_, bug) => {
      const seen = [];
      for (const seed of SEEDS_FROM_HERE.slice(0, 30)) {
        const problems = await archiveProblems(await run(seed, { makeHandler: archiverWith(bug) }));
        if (problems.length > 0) seen.push(seed);
      }
      expect(seen.length).toBeGreaterThan(0);
    },
    60_000,
  );

  it('batches of one shard that are delivered beside each other', async () => {
    const seen = [];
    for (const seed of SEEDS_FROM_HERE.slice(0, 30)) {
      const settings = { batchSize: 12, windowMs: 2_000, parallelization: 3, bisect: false };
      const problems = await archiveProblems(await run(seed, { settings }));
      if (problems.length > 0) seen.push(seed);
    }
    expect(seen.length).toBeGreaterThan(0);
  }, 60_000);
});
