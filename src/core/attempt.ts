import { checkVersion, numberIn, type StoredItem, textIn } from './item.ts';
import { ledgerKey } from './ledger.ts';
import { decodePosition, isAfter } from './position.ts';

/** Format version of attempt items. */
export const ATTEMPT_FORMAT = 1;

/** Sort key of a writer's attempt item, beside its ledger entries. */
export const ATTEMPT_KEY = 'attempt';

/** The attribute that its conditional write compares. */
export const ATTEMPT_REVISION = 'r';

/**
 * What is noted of a writer that lags, so that a record that kills the function is found: each try
 * says what it starts on, and a try that finds the note of one that never came to writing knows that
 * it died.
 */
export interface Attempt {
  readonly writer: string;
  /** Counts the writes of this item; a try whose revision is not the stored one was overtaken. */
  readonly revision: number;
  /** The ledger's position that the try starts after, or '' before the first record. */
  readonly base: string;
  /** A random name of the try, so that two tries never take each other's note for their own. */
  readonly owner: string;
  /** Encoded position up to which records are suspected, or '' when none are. */
  readonly suspectThrough: string;
  /** Most records that a try takes; 0 is no limit. */
  readonly range: number;
  /** Tries at this base and range that died while they computed. */
  readonly deaths: number;
  /** `computing` writes nothing; a death in `writing` tells nothing about the records. */
  readonly phase: 'computing' | 'writing';
  /** Encoded position of the last record that the try takes. */
  readonly through: string;
  /** Encoded position up to which a try at this base came to writing, or '': these don't kill. */
  readonly computedThrough: string;
  /** When this base was first noted, milliseconds since 1970 UTC. */
  readonly firstMs: number;
  /** When DynamoDB may delete it, seconds since 1970 UTC. */
  readonly ttlSeconds: number;
}

/** The item of an attempt. Attributes: r revision, o owner, b base, u suspected through, c range, d deaths,
 * h phase, e through, k computed through, t first. */
export function encodeAttempt(attempt: Attempt): StoredItem {
  return {
    pk: ledgerKey(attempt.writer),
    sk: ATTEMPT_KEY,
    v: ATTEMPT_FORMAT,
    r: attempt.revision,
    o: attempt.owner,
    b: attempt.base,
    u: attempt.suspectThrough,
    c: attempt.range,
    d: attempt.deaths,
    h: attempt.phase,
    e: attempt.through,
    k: attempt.computedThrough,
    t: attempt.firstMs,
    ttl: attempt.ttlSeconds,
  };
}

/** @throws InvariantError when the item is not one that `encodeAttempt` made */
export function decodeAttempt(writer: string, item: StoredItem): Attempt {
  checkVersion(item, ATTEMPT_FORMAT);
  return {
    writer,
    revision: numberIn(item, ATTEMPT_REVISION),
    owner: textIn(item, 'o'),
    base: textIn(item, 'b'),
    suspectThrough: textIn(item, 'u'),
    range: numberIn(item, 'c'),
    deaths: numberIn(item, 'd'),
    phase: textIn(item, 'h') === 'writing' ? 'writing' : 'computing',
    through: textIn(item, 'e'),
    computedThrough: textIn(item, 'k'),
    firstMs: numberIn(item, 't'),
    ttlSeconds: numberIn(item, 'ttl'),
  };
}

/** What the next try of a writer does. */
export interface NextAttempt {
  readonly attempt: Attempt;
  /** How many of the records it takes, at least 1. */
  readonly take: number;
  /** True when the first record is to be quarantined as `crash` without being computed. */
  readonly quarantineFirst: boolean;
}

/** The facts from which the next try is decided. */
export interface AttemptSituation {
  readonly writer: string;
  readonly owner: string;
  readonly stored: Attempt | undefined;
  /** Encoded position of the ledger's head, or ''. */
  readonly base: string;
  /** Number of records at hand, and the encoded position of each by its index. */
  readonly records: number;
  readonly positionAt: (index: number) => string;
  /** True when the base is still before the end of the suspected range. */
  readonly suspected: boolean;
  readonly nowMs: number;
  /** No other try can still be running when this much time has passed since the base was noted. */
  readonly invocationMs: number;
  readonly ttlSeconds: number;
}

/** Deaths at one range after which the range is halved. */
export const DEATHS_TO_HALVE = 2;

/** Deaths of a single record, alone, after which it is quarantined. */
export const DEATHS_TO_QUARANTINE = 3;

/**
 * Decides how much of a lagging writer's records the next try takes (exactly-once rule 7): after
 * repeated deaths half of it, down to a single record, and that one is quarantined in the end.
 */
export function nextAttempt(situation: AttemptSituation): NextAttempt {
  const { stored, records } = situation;
  const here = stored?.base === situation.base ? stored : undefined;
  const deaths = deathsAt(here);
  const limit = limitOf(situation, here);
  const range = Math.min(limit || records, records);
  const halve = range > 1 && deaths >= DEATHS_TO_HALVE;
  const take = halve ? Math.ceil(range / 2) : range;
  const firstMs = here?.firstMs ?? situation.nowMs;
  const computedThrough = here?.computedThrough ?? '';
  const alone = situation.nowMs - firstMs >= situation.invocationMs;
  return {
    take,
    quarantineFirst:
      range === 1 && deaths >= DEATHS_TO_QUARANTINE && alone && computedThrough === '',
    attempt: {
      writer: situation.writer,
      revision: (stored?.revision ?? 0) + 1,
      owner: situation.owner,
      base: situation.base,
      suspectThrough: suspectedThrough(situation, here, deaths),
      range: halve ? take : limit,
      deaths: halve ? 0 : deaths,
      phase: 'computing',
      through: situation.positionAt(take - 1),
      computedThrough,
      firstMs,
      ttlSeconds: situation.ttlSeconds,
    },
  };
}

/** Tries that died at this base; a try within what was computed before died of something else. */
function deathsAt(here: Attempt | undefined): number {
  if (here === undefined) return 0;
  const computed = here.computedThrough === '' ? undefined : decodePosition(here.computedThrough);
  const died = here.phase === 'computing' && isAfter(decodePosition(here.through), computed);
  return died ? here.deaths + 1 : here.deaths;
}

/** The range goes along to the next base, until everything suspected is behind it. */
function limitOf(situation: AttemptSituation, here: Attempt | undefined): number {
  if (here !== undefined) return here.range;
  return situation.suspected ? (situation.stored?.range ?? 0) : 0;
}

function suspectedThrough(
  situation: AttemptSituation,
  here: Attempt | undefined,
  deaths: number,
): string {
  const known = here ?? (situation.suspected ? situation.stored : undefined);
  if (known !== undefined && known.suspectThrough !== '') return known.suspectThrough;
  return deaths > 0 ? situation.positionAt(situation.records - 1) : '';
}
