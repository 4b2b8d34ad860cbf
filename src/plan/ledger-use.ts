import { itemBytes } from '../adapters/memory/units.ts';
import { encodeEntry } from '../core/ledger.ts';
import type { Program } from '../core/program.ts';
import { entryLifeMs } from '../handlers/lifetimes.ts';
import { ASSUMED } from './assumptions.ts';
import type { WriterFlow } from './writer-flow.ts';

/** What the ledger uses, a second. */
export interface LedgerUse {
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly entries: number;
  /** Bytes written, that live for `lifeS`. */
  readonly storedBytes: number;
  readonly lifeS: number;
  /** Write units a second of the busiest writer's partition key. */
  readonly hottestUnits: number;
}

const WRITE_UNIT = 1_024;
const READ_UNIT = 4_096;

/** Of all writers: an entry a batch and writer, and a read before it. */
export function ledgerUse(
  program: Program,
  { flows, containers }: { readonly flows: readonly WriterFlow[]; readonly containers: number },
): LedgerUse {
  const uses = flows.map((flow) => writerUse(program, flow, containers));
  const sum = (of: (use: LedgerUse) => number) => uses.reduce((total, use) => total + of(use), 0);
  return {
    writeUnits: sum(({ writeUnits }) => writeUnits),
    readUnits: sum(({ readUnits }) => readUnits),
    entries: sum(({ entries }) => entries),
    storedBytes: sum(({ storedBytes }) => storedBytes),
    lifeS: entryLifeMs(program.settings) / 1000,
    hottestUnits: Math.max(0, ...uses.map(({ writeUnits }) => writeUnits)),
  };
}

function writerUse(
  program: Program,
  { entries, events, rate }: WriterFlow,
  containers: number,
): LedgerUse {
  const bytes = entryBytes(program, events, rate);
  const more = (entryBytes(program, events + 100, rate) - bytes) / 100;
  const units = SPREAD.map((deviations) =>
    unitsOf(bytes + more * deviations * events ** 0.5, WRITE_UNIT),
  );
  const writeUnits = (entries * units.reduce((sum, one) => sum + one, 0)) / units.length;
  // Where another container appended since, its first entry is found, and then all of them are read.
  const away = 1 - 1 / containers;
  const found = unitsOf(bytes, READ_UNIT) + unitsOf(containers * bytes, READ_UNIT);
  const cold = unitsOf((entries * program.settings.horizonMs * bytes) / 1000, READ_UNIT);
  return {
    writeUnits,
    readUnits: entries * (1 - away + away * found) + (cold * containers) / ASSUMED.containerLifeS,
    entries,
    storedBytes: entries * bytes,
    lifeS: 0,
    hottestUnits: writeUnits,
  };
}

/** Events of a batch vary by the root of their number: the middles of five parts of that distribution. */
const SPREAD = [-1.28, -0.52, 0, 0.52, 1.28] as const;

function unitsOf(bytes: number, unit: number): number {
  return Math.max(1, Math.ceil(bytes / unit));
}

/** Records that come so close have one arrival time: those of a producer's request. */
const STAMPED_MS = 10;

const NOW_MS = 1_800_000_000_000;

/** Bytes of an entry with so many ids, as it is stored. */
function entryBytes(program: Program, events: number, rate: number): number {
  const alike = Math.max(1, Math.floor((rate * STAMPED_MS) / 1000));
  const ids = Array.from({ length: Math.round(events) }, (_, index) => ({
    high: index,
    low: index,
    check: index,
    arrivalMs: NOW_MS - Math.floor(index / alike) * STAMPED_MS,
  }));
  const entry = encodeEntry({
    writer: 't4x9k2-1f3a9c0d.p12',
    n: 1,
    position: {
      shard: 12,
      sequence: '49590338271490256608559692538361571095921575989136588898',
      index: 0,
    },
    watermarkMs: NOW_MS,
    highArrivalMs: NOW_MS,
    ids,
    closedThroughMs: undefined,
    fingerprint: program.fingerprint,
    writtenMs: NOW_MS,
    ttlSeconds: NOW_MS / 1000,
  });
  return itemBytes(entry);
}
