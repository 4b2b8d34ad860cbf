import { expect, it } from 'vitest';
import type { Program } from '../../src/core/program.ts';
import { type ConsumeResult, makeConsume } from '../../src/handlers/consume.ts';
import type { KinesisBatch } from '../../src/handlers/kinesis-batch.ts';
import type { ConsumePorts } from '../../src/handlers/ports.ts';
import type { Item, Table, WriteResult } from '../../src/ports/table.ts';
import type { SimOptions } from '../../src/sim/schedule.ts';
import { simulateSmall } from '../helpers/simulate-small.ts';

/** Seeds that a mistake may take to be found. */
const SEEDS_MAX = 500;

/** Turns a right handler into a wrong one: by what it sees, by what it runs, or by what it answers. */
interface Mistake {
  readonly ports?: (ports: ConsumePorts) => ConsumePorts;
  readonly program?: (program: Program) => Program;
  readonly answer?: (result: ConsumeResult, batch: KinesisBatch) => ConsumeResult;
  readonly settings?: SimOptions['settings'];
}

const WRITTEN: WriteResult = { status: 'written' };

/** The table with what `putIf` answers changed. */
function believing(table: Table, believe: (result: WriteResult) => WriteResult): Table {
  return {
    ...table,
    putIf: async (writes, options) => (await table.putIf(writes, options)).map(believe),
    putAll: async (items, options) => (await table.putAll(items, options)).map(believe),
  };
}

/** The table with conditions left out. */
function unconditional(table: Table): Table {
  const putIf: Table['putIf'] = (writes, options) =>
    table.putAll(
      writes.map(({ item }) => item),
      options,
    );
  return { ...table, putIf };
}

/** The table that never gets some attribute of the items. */
function without(table: Table, attribute: string): Table {
  const stripped = (item: Item): Item => {
    const kept = Object.entries(item).filter(([name]) => name !== attribute);
    return { ...Object.fromEntries(kept), pk: item.pk, sk: item.sk };
  };
  return {
    ...table,
    putIf: (writes, options) =>
      table.putIf(
        writes.map(({ item, condition }) => ({ item: stripped(item), condition })),
        options,
      ),
  };
}

const failedIsWritten = (result: WriteResult) => (result.status === 'failed' ? WRITTEN : result);
const conflictIsWritten = (result: WriteResult) =>
  result.status === 'conflict' ? WRITTEN : result;

function answering(result: ConsumeResult, sequences: readonly string[]): ConsumeResult {
  const batchItemFailures = sequences.map((itemIdentifier) => ({ itemIdentifier }));
  return { ...result, response: { batchItemFailures } };
}

const MISTAKES: Readonly<Record<string, Mistake>> = {
  'cells are written without their condition': {
    ports: (ports) => ({ ...ports, aggregates: unconditional(ports.aggregates) }),
  },
  'the ledger is written without its condition': {
    ports: (ports) => ({ ...ports, ledger: unconditional(ports.ledger) }),
  },
  'a failed condition of a cell counts as written': {
    ports: (ports) => ({ ...ports, aggregates: believing(ports.aggregates, conflictIsWritten) }),
  },
  'a failed write of a cell counts as written': {
    ports: (ports) => ({ ...ports, aggregates: believing(ports.aggregates, failedIsWritten) }),
  },
  'a failed append to the ledger counts as done': {
    ports: (ports) => ({ ...ports, ledger: believing(ports.ledger, failedIsWritten) }),
  },
  'unprocessed events are ignored': {
    ports: (ports) => ({ ...ports, events: believing(ports.events, failedIsWritten) }),
  },
  'unprocessed items of the quarantine index are ignored': {
    ports: (ports) => ({
      ...ports,
      quarantineIndex: believing(ports.quarantineIndex, failedIsWritten),
    }),
  },
  'documents of the quarantine are not waited for': {
    ports: (ports) => ({
      ...ports,
      quarantine: {
        ...ports.quarantine,
        put: async (...args) => {
          await ports.quarantine.put(...args).catch(() => undefined);
        },
      },
    }),
  },
  'the ledger is written before the cells': {
    ports: (ports) => ({
      ...ports,
      aggregates: {
        ...ports.aggregates,
        putIf: async (writes, options) => {
          ports.clock.sleep(200).then(() => ports.aggregates.putIf(writes, options));
          return writes.map(() => WRITTEN);
        },
      },
    }),
  },
  'a warm container trusts its memory': {
    ports: (ports) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        get: async (keys, options) => {
          const results = await ports.ledger.get(keys, options);
          const nothing = { status: 'read', item: undefined } as const;
          return keys.map(({ sk }, index) =>
            sk.startsWith('e#') ? nothing : (results[index] ?? nothing),
          );
        },
      },
    }),
  },
  'the ledger forgets which ids were counted': {
    ports: (ports) => ({ ...ports, ledger: without(ports.ledger, 'i') }),
  },
  'the ledger forgets the watermark': {
    ports: (ports) => ({ ...ports, ledger: without(ports.ledger, 'w') }),
  },
  'everything is acknowledged': { answer: (result) => answering(result, []) },
  'a failed record is reported one too late': {
    answer: (result, batch) => {
      const sequences = batch.Records.map(({ kinesis }) => kinesis.sequenceNumber);
      const failed = result.response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
      const next = failed.flatMap((one) => sequences[sequences.indexOf(one) + 1] ?? []);
      return answering(result, next);
    },
  },
  'a future event moves the watermark': {
    program: (program) => ({
      ...program,
      settings: { ...program.settings, futureMs: Number.MAX_SAFE_INTEGER },
    }),
  },
  'repeats are known for a moment only': {
    program: (program) => ({ ...program, settings: { ...program.settings, horizonMs: 1 } }),
  },
  'late events are let in': {
    program: (program) => ({
      ...program,
      aggregates: program.aggregates.map((one) => ({ ...one, isLive: () => true })),
    }),
  },
  'a decision depends on the try': {
    program: (program) => {
      let calls = 0;
      return {
        ...program,
        transform: (event, arrivalMs) => {
          calls += 1;
          return calls % 10 === 0 ? [] : program.transform(event, arrivalMs);
        },
      };
    },
  },
  'the mapping gives up after a try': { settings: { batchSize: 12, retriesMax: 0 } },
};

function wrong({ ports, program, answer, settings }: Mistake): Partial<SimOptions> {
  return {
    ...(settings === undefined ? {} : { settings }),
    makeHandler: (rightPorts, rightProgram) => {
      const consume = makeConsume(
        ports?.(rightPorts) ?? rightPorts,
        program?.(rightProgram) ?? rightProgram,
      );
      return async (batch, invocation) => {
        const result = await consume(batch, invocation);
        return answer?.(result, batch) ?? result;
      };
    },
  };
}

it.each(Object.entries(MISTAKES))(
  'it is found when %s',
  async (_name, mistake) => {
    let found: number | undefined;
    for (let seed = 1; seed <= SEEDS_MAX && found === undefined; seed += 1) {
      const { violations } = await simulateSmall(seed, wrong(mistake));
      if (violations.length > 0) found = seed;
    }
    expect(found).toBeDefined();
  },
  60_000,
);

it('there are at least fifteen of them', () => {
  expect(Object.keys(MISTAKES).length).toBeGreaterThanOrEqual(15);
});
