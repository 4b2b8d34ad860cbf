import type { Dice } from './dice.ts';
import { HOT_KEY_MS, type LastingFault, OUTAGE_MS, SHORT_MS } from './faults.ts';

/** Tables of the world. */
export type TableName = 'ledger' | 'aggregates' | 'events' | 'quarantine-index';

/** What can be out on its own. */
export type Service = TableName | 'bucket' | 'stream' | 'outlet' | 'publisher';

const TABLES: readonly TableName[] = ['ledger', 'aggregates', 'events', 'quarantine-index'];

/** An await that something can begin at. */
export interface Place {
  /** Such as `ledger.get entry`. */
  readonly step: string;
  readonly service: Service;
  /** False for the few that need no key of KMS. */
  readonly encrypted: boolean;
}

/** The lasting faults that can refuse a request. */
export function lastingFaultsAt({ service, encrypted }: Omit<Place, 'step'>): LastingFault[] {
  const all: LastingFault[] = ['outage'];
  if (encrypted) all.push('kms');
  if (isTable(service)) all.push('hotKey');
  return all;
}

function isTable(service: Service): service is TableName {
  return TABLES.some((table) => table === service);
}

/** What each pipeline has; one that feeds others has outlets too, one that closes windows a publisher. */
const SERVICES: readonly Service[] = [...TABLES, 'bucket', 'stream'];

/**
 * Units a second that one partition of a table takes, without adaptive capacity.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
 */
const UNITS_MAX = { read: 3_000, write: 1_000 } as const;

/** Units a second of a partition that throttles, at most. */
const HOT_UNITS_MAX = 10;

interface Bucket {
  units: number;
  atMs: number;
}

/**
 * What lasts for a while and concerns more than one request: outages, KMS, throttled partitions.
 *
 * A partition key has a bucket of one second's units for reads and one for writes. A request is taken
 * while something is left in it, and may overdraw it; then it has to fill up again.
 */
export class Weather {
  /** Of one service, or of all. */
  #outage: { service: Service | undefined; untilMs: number } = { service: undefined, untilMs: 0 };
  #kmsUntilMs = 0;
  #hot: { table: TableName; untilMs: number; units: number } | undefined;
  readonly #buckets = new Map<string, Bucket>();
  readonly #services: readonly Service[];

  constructor({ outlets = false, publisher = false } = {}) {
    const services = outlets ? [...SERVICES, 'outlet' as const] : SERVICES;
    this.#services = publisher ? [...services, 'publisher'] : services;
  }

  /** Draws what begins with an invocation. */
  change(dice: Dice, nowMs: number): void {
    if (dice.strikes('outage')) {
      // As often of everything as of one of them.
      const service = this.#services[dice.upTo(2 * this.#services.length)];
      this.#outage = { service, untilMs: nowMs + dice.upTo(OUTAGE_MS) };
    }
    if (dice.strikes('kms')) this.#kmsUntilMs = nowMs + dice.upTo(OUTAGE_MS);
    if (!dice.strikes('hotKey')) return;
    const table = TABLES[dice.upTo(TABLES.length)] ?? 'ledger';
    const units = 1 + dice.upTo(HOT_UNITS_MAX);
    this.#hot = { table, untilMs: nowMs + dice.upTo(HOT_KEY_MS), units };
  }

  /** Draws what begins with a request: short, and of its own service, so that each await is refused by each. */
  changeAt(dice: Dice, place: Place, nowMs: number): void {
    const { step, service } = place;
    const fault = dice.begins(step, lastingFaultsAt(place));
    if (fault === undefined) return;
    const untilMs = nowMs + 1 + dice.upTo(SHORT_MS);
    if (fault === 'outage') this.#outage = { service, untilMs };
    if (fault === 'kms') this.#kmsUntilMs = untilMs;
    if (fault === 'hotKey' && isTable(service)) this.#hot = { table: service, untilMs, units: 0 };
  }

  /** Which fault refuses every request of this service now, if any. */
  refuses(nowMs: number, service: Service, encrypted: boolean): 'outage' | 'kms' | undefined {
    const { service: out = service, untilMs } = this.#outage;
    if (nowMs < untilMs && out === service) return 'outage';
    return encrypted && nowMs < this.#kmsUntilMs ? 'kms' : undefined;
  }

  /** False when the partition throttles now. */
  takes(table: TableName, kind: 'read' | 'write', pk: string, nowMs: number): boolean {
    const hot = this.#hot?.table === table && nowMs < this.#hot.untilMs;
    const max = hot ? (this.#hot?.units ?? 0) : UNITS_MAX[kind];
    const bucket = this.#bucket(table, kind, pk, nowMs);
    const filled = bucket.units + (max * (nowMs - bucket.atMs)) / 1_000;
    bucket.units = Math.min(max, filled);
    bucket.atMs = nowMs;
    return bucket.units > 0;
  }

  /** Takes units out of a partition's bucket. */
  spend(table: TableName, kind: 'read' | 'write', pk: string, units: number): void {
    const bucket = this.#buckets.get(`${table} ${kind} ${pk}`);
    if (bucket !== undefined) bucket.units -= units;
  }

  #bucket(table: TableName, kind: 'read' | 'write', pk: string, nowMs: number): Bucket {
    const name = `${table} ${kind} ${pk}`;
    const known = this.#buckets.get(name) ?? { units: UNITS_MAX[kind], atMs: nowMs };
    this.#buckets.set(name, known);
    return known;
  }
}
