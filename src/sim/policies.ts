import { DEFAULT_POLICIES, type MappingPolicies, policiesFromRandom } from '../mapping/policies.ts';
import type { Random } from '../ports/random.ts';
import { below, pick } from './randoms.ts';

/** What AWS, or the environment, leaves open. Each is drawn from the seed. */
export interface SimPolicies {
  /** Of the event source mapping. */
  readonly mapping: MappingPolicies;
  /** How thick the faults come: the rates are multiplied by it. */
  readonly intensity: number;
  /** A container whose handler threw: used again as it is, or ended. Node's runtime goes on after a rejected handler. */
  readonly thrown: 'reused' | 'ended';
  /** A container that ran out of time: ended at once, or frozen and going on up to 30 s later, heard by nobody. */
  readonly timedOut: 'ended' | 'frozen';
  /** Which of the idle containers runs next: the one used last, or first. */
  readonly warm: 'last' | 'first';
  /** Reserved concurrency; beyond it invocations are throttled. */
  readonly concurrencyMax: number;
  /** How far arrival times of one shard may step back, milliseconds: they are approximate. */
  readonly arrivalSkewMs: number;
  /** First sequence number of a shard; they grow by gaps, and are not comparable between shards. */
  readonly sequenceDigits: number;
  /** A mapping that is disabled: finishes what it has read, or drops it. */
  readonly disabled: 'finishes' | 'drops';
  /** Longest time that an expired item stays, milliseconds: DynamoDB deletes within days. */
  readonly expiryLateMs: number;
  /** How many cells a container keeps, and how many writers it works on at a time. */
  readonly cellsMax: number;
  readonly writersAtOnce: number;
  /** Age of the oldest record from which a fresh container notes its tries, milliseconds. */
  readonly guardLagMs: number;
}

const DAY_MS = 86_400_000;

/** The policies of one seed. */
export function drawPolicies(random: Random): SimPolicies {
  return {
    // A failure document that waits for others would be lost with its poller.
    mapping: { ...policiesFromRandom(random.next), consolidatedDiscards: false },
    intensity: pick(random, [0.2, 0.5, 1, 1, 1.5]),
    thrown: pick(random, ['reused', 'ended']),
    timedOut: pick(random, ['ended', 'frozen']),
    warm: pick(random, ['last', 'first']),
    concurrencyMax: pick(random, [1, 2, 1_000]),
    arrivalSkewMs: pick(random, [0, 0, 30]),
    sequenceDigits: 1 + below(random, 6),
    disabled: pick(random, ['finishes', 'drops']),
    expiryLateMs: below(random, 4 * DAY_MS),
    cellsMax: pick(random, [5, 50, 200_000]),
    writersAtOnce: 1 + below(random, 8),
    guardLagMs: pick(random, [0, 2_000, 10_000, 60_000]),
  };
}

/** Nothing out of the ordinary, for tests that count what happens. */
export const PLAIN_POLICIES: SimPolicies = {
  mapping: DEFAULT_POLICIES,
  intensity: 1,
  thrown: 'reused',
  timedOut: 'ended',
  warm: 'last',
  concurrencyMax: 1_000,
  arrivalSkewMs: 0,
  sequenceDigits: 4,
  disabled: 'finishes',
  expiryLateMs: 0,
  cellsMax: 200_000,
  writersAtOnce: 8,
  guardLagMs: 60_000,
};
