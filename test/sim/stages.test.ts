import { afterEach, describe, expect, it, vi } from 'vitest';
import { compile } from '../../src/core/compile.ts';
import { makeConsume } from '../../src/handlers/consume.ts';
import { Head } from '../../src/handlers/head.ts';
import type { ConsumePorts } from '../../src/handlers/ports.ts';
import type { Outlet } from '../../src/ports/outlet.ts';
import { ALL_FAULTS, NO_FAULTS, REQUEST_FAULTS } from '../../src/sim/faults.ts';
import type { StagesOptions } from '../../src/sim/stages.ts';
import { LONG_OUTAGE, simulateSmallStages, stagesOptions } from '../helpers/simulate-stages.ts';
import { feedingPipeline } from '../helpers/stage-pipelines.ts';

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 60);
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1);
const HORIZON_MS = 600_000;

function addTo(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

describe('two stages', () => {
  it('give the same traces for the same seed', async () => {
    const [one, same, other] = [
      await simulateSmallStages(7),
      await simulateSmallStages(7),
      await simulateSmallStages(8),
    ];
    expect([same.first.hash, same.second.hash]).toEqual([one.first.hash, one.second.hash]);
    expect(other.second.hash).not.toBe(one.second.hash);
  });

  it('send each derived event once where nothing goes wrong', async () => {
    const { violations, copies, second } = await simulateSmallStages(1, { faults: NO_FAULTS });
    expect(violations).toEqual([]);
    expect(copies).toBe(0);
    expect(second.records.length).toBeGreaterThan(10);
  });

  it(`hold every promise under all faults at both, for ${SEEDS} seeds`, async () => {
    const counts: Record<string, number> = {};
    const hits: Record<string, number> = {};
    let copies = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const result = await simulateSmallStages(seed);
      expect(result.violations, `MILLRACE_SEED=${seed} MILLRACE_SEEDS=1`).toEqual([]);
      copies += result.copies;
      for (const { counts: some, hits: more } of [result.first, result.second]) {
        addTo(counts, some);
        addTo(hits, more);
      }
    }
    if (SEEDS < 60) return;
    expect(copies).toBeGreaterThan(SEEDS);
    for (const name of ['split', 'merge', 'loseCheckpoint', 'cold start', 'outage', 'kms']) {
      expect(counts[name], name).toBeGreaterThan(0);
    }
    for (const fault of REQUEST_FAULTS) {
      expect(hits[`outlet.send ${fault}`], fault).toBeGreaterThan(5);
    }
  }, 600_000);

  it('keep them where an event was sent before tries of it that died had it quarantined', async () => {
    const faults = { ...ALL_FAULTS, crash: 0.2 };
    const { first } = await simulateSmallStages(92, { count: 20, faults });

    const reasons = first.world.quarantineIndex.items().map(({ r }) => r);
    expect(reasons).toContain('crash');
    expect(first.violations).toEqual([]);
  });

  it('hold them when an outage between sending and appending is longer than the horizon', async () => {
    let beyond = 0;
    const seeds = Math.ceil(SEEDS / 4);
    for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed += 1) {
      const { violations, spreadMs } = await simulateSmallStages(seed, LONG_OUTAGE);
      expect(violations, `MILLRACE_SEED=${seed} MILLRACE_SEEDS=1`).toEqual([]);
      if (spreadMs > HORIZON_MS) beyond += 1;
    }
    expect(beyond).toBeGreaterThan(seeds / 2);
  }, 600_000);
});

/** A first stage whose records are changed on their way into the outlet. */
function firstWith(
  change: (outlet: Outlet, ports: ConsumePorts) => Outlet,
): StagesOptions['first'] {
  const { first } = stagesOptions(1);
  return {
    ...first,
    makeHandler: (ports, program, options) => {
      const { large } = ports.outlets ?? {};
      if (large === undefined) throw new Error('the world has no outlet');
      const outlets = { large: { ...large, outlet: change(large.outlet, ports) } };
      return makeConsume({ ...ports, outlets }, program, options);
    },
  };
}

/** The outlet with other documents. */
function rewriting(outlet: Outlet, change: (document: Record<string, unknown>) => object): Outlet {
  return {
    send: (records, options) =>
      outlet.send(
        records.map((record) => {
          const document = JSON.parse(Buffer.from(record.bytes).toString());
          return { ...record, bytes: Buffer.from(JSON.stringify(change(document))) };
        }),
        options,
      ),
  };
}

interface PlantedBug {
  readonly over: () => Parameters<typeof stagesOptions>[1];
  /** What is said of it. */
  readonly says: RegExp;
}

const TWICE = /both stages: .*stored \d+, of each event once \d+/;

const BUGS: Readonly<Record<string, PlantedBug>> = {
  'no origin in a derived event': {
    over: () => ({
      ...LONG_OUTAGE,
      first: firstWith((outlet) => rewriting(outlet, ({ originms: _left, ...rest }) => rest)),
    }),
    says: TWICE,
  },
  'the origin is the time of sending': {
    over: () => ({
      ...LONG_OUTAGE,
      first: firstWith((outlet, { clock }) =>
        rewriting(outlet, (document) => ({ ...document, originms: String(clock.now()) })),
      ),
    }),
    says: TWICE,
  },
  'ids that differ from try to try': {
    over: () => {
      let time = 0;
      const change = (document: Record<string, unknown>) => {
        time += 1;
        return { ...document, id: `${document.id} ${time}` };
      };
      return { first: firstWith((outlet) => rewriting(outlet, change)) };
    },
    says: /sent \{.*\}, derived undefined/,
  },
  'data that differs from try to try': {
    over: () => {
      let time = 0;
      const { large } = feedingPipeline.outputs;
      const event = (row: { place: string; at: number; amount: number }) => {
        time += 1;
        return { ...row, tens: Math.floor(row.amount / 10), amount: row.amount + time };
      };
      const pipeline = { ...feedingPipeline, outputs: { large: { ...large, event } } };
      const program = compile(pipeline as never);
      return { first: { ...stagesOptions(1).first, program: () => program } };
    },
    says: /output large: .*sent \{.*derived \{/,
  },
  'what is refused counts as taken': {
    over: () => ({
      first: firstWith((outlet) => ({
        send: async (records, options) =>
          (await outlet.send(records, options)).map((result) =>
            result.status === 'taken' ? result : { status: 'taken', shard: '', sequence: '0' },
          ),
      })),
    }),
    says: /sent undefined, derived/,
  },
  'the partition is not the key’s': {
    over: () => ({
      first: firstWith((outlet) => ({
        send: (records, options) =>
          outlet.send(
            records.map((record) => ({ ...record, partitionKey: 'p-0' })),
            options,
          ),
      })),
    }),
    says: /sent \{"partition":"p-0".*derived \{"partition":"p-[12]"/,
  },
  'a head that says that it reaches back to the beginning': {
    over: () => {
      vi.spyOn(Head.prototype, 'covers').mockReturnValue(true);
      return LONG_OUTAGE;
    },
    says: TWICE,
  },
  'an origin is believed no further back than the horizon': {
    over: () => {
      const makeHandler: StagesOptions['second']['makeHandler'] = (ports, program, options) => {
        const retention = { ...program.settings.retention, streamMs: -1_800_000 };
        const settings = { ...program.settings, retention };
        return makeConsume(ports, { ...program, settings }, options);
      };
      return { ...LONG_OUTAGE, second: { ...stagesOptions(1).second, makeHandler } };
    },
    says: TWICE,
  },
};

describe('the check of two stages', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(Object.entries(BUGS))(
    'finds a planted bug: %s',
    async (_name, { over, says }) => {
      const found: string[] = [];
      for (let seed = 1; seed <= 20 && !says.test(found.join('\n')); seed += 1) {
        found.push(...(await simulateSmallStages(seed, over())).violations);
      }
      expect(found.join('\n')).toMatch(says);
    },
    120_000,
  );
});
