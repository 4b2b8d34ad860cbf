import { InvariantError } from './errors.ts';
import { checkVersion, numberIn, type StoredItem, textIn } from './item.ts';
import { GENERATION } from './ledger.ts';

/**
 * Which version of a pipeline decides on a record: a list of versions, each from some arrival on. The list
 * is announced with lead, so that it is a fact that was fixed before the record arrived.
 */

/** Format version of the list's item. */
export const VERSIONS_FORMAT = 1;

/** Key of the list, in the ledger table. It never expires. */
export const VERSIONS_KEY = { pk: `${GENERATION}|versions`, sk: 'list' } as const;

/** The attribute that the list's conditional write compares. */
export const VERSIONS_REVISION = 'r';

/**
 * A list that was read is believed for records that arrive within so long after the reading, milliseconds:
 * who changes it changes nothing for records that arrive so soon.
 */
export const BELIEVED_MS = 20_000;

/**
 * The least time from an announcement to the arrival that it names, milliseconds: what is believed (20 s), the
 * tries to write it (10 s), a write that was given up and is applied all the same (30 s), and clocks that
 * differ (60 s).
 */
export const LEAD_MS = 120_000;

/** The same in a local cloud, where there is one clock, and nothing is applied late. */
export const LEAD_LOCAL_MS = 35_000;

/**
 * Raised by whoever changes what Millrace itself decides on a record, such as how it is decoded: it is a part of
 * every fingerprint, so that such a change takes a switch, too.
 */
export const DECISION_RULES = 1;

/** Most versions in the list; older ones are left out when a new one comes. */
export const VERSIONS_MAX = 50;

/** A version of the pipeline and the records that it decides on. */
export interface PipelineVersion {
  /** Arrival of its first record, milliseconds since 1970 UTC; 0 for the first version. */
  readonly fromMs: number;
  /** The program's fingerprint, without versions of references. */
  readonly print: string;
}

/** The list as it is stored. */
export interface VersionList {
  /** Counts its changes, from 1. */
  readonly revision: number;
  /** At least one, in the order of their times. */
  readonly versions: readonly PipelineVersion[];
}

/** The item of a list. Attributes: r revision, l the versions as JSON. */
export function encodeVersions({ revision, versions }: VersionList): StoredItem {
  const list = versions.map(({ fromMs, print }) => [fromMs, print]);
  return {
    ...VERSIONS_KEY,
    v: VERSIONS_FORMAT,
    [VERSIONS_REVISION]: revision,
    l: JSON.stringify(list),
  };
}

/** @throws InvariantError when the item is not one that `encodeVersions` made */
export function decodeVersions(item: StoredItem): VersionList {
  checkVersion(item, VERSIONS_FORMAT);
  const list: readonly (readonly [number, string])[] = JSON.parse(textIn(item, 'l'));
  const versions = list.map(([fromMs, print]) => ({ fromMs, print }));
  if (versions.length > 0) return { revision: numberIn(item, VERSIONS_REVISION), versions };
  throw new InvariantError('versions: got an empty list, expected at least the first one');
}

/** The version's part of a ledger entry's fingerprint: that of references stands after a dot. */
export function printOfEntry(fingerprint: string): string {
  return fingerprint.split('.', 1)[0] ?? fingerprint;
}

/** After the dot of a switch marker's fingerprint: the version has decided on nothing yet. */
const MARKER = '-';

/** The fingerprint of a switch marker to a version. */
export function markerPrint(print: string): string {
  return `${print}.${MARKER}`;
}

/** True for a fingerprint that `markerPrint` made. */
export function isMarkerPrint(fingerprint: string): boolean {
  return fingerprint.endsWith(`.${MARKER}`);
}

/** What a writer's ledger says before its next record. */
export interface WriterStand {
  /** Print of the newest entry; undefined before the first. */
  readonly print: string | undefined;
  /** Latest arrival of any record up to there. */
  readonly highArrivalMs: number;
}

/** What a version does with a writer's next records. */
export type Turn =
  /** Not its turn: nothing is decided. `why` is for the log. */
  | { readonly type: 'refused'; readonly why: string }
  | {
      readonly type: 'taken';
      /** True when it takes over from another version: a marker is appended first. */
      readonly enters: boolean;
      /** How many of the records, from the first, it decides on. */
      readonly takes: number;
      /** The version that decides on the record after these, where that is another one. */
      readonly leavesTo: string | undefined;
    };

/**
 * Whose turn it is. A record belongs to the version of the latest arrival of its writer up to it, so
 * arrivals that step back a little change nothing.
 *
 * @param arrivals of the writer's next records, in the order of position; at least one
 */
export function turnOf(
  { versions }: VersionList,
  own: string,
  stand: WriterStand,
  arrivals: readonly number[],
): Turn {
  const before = indexAt(versions, stand.highArrivalMs);
  const print = stand.print ?? versions[before]?.print;
  const inForce = versions.findIndex((one, index) => index >= before && one.print === print);
  if (inForce < 0) return { type: 'refused', why: overrun(versions, before, print) };
  let highMs = stand.highArrivalMs;
  const due = arrivals.map((arrivalMs) => {
    highMs = Math.max(highMs, arrivalMs);
    return versions[Math.max(inForce, indexAt(versions, highMs))]?.print;
  });
  const takes = due.findIndex((one) => one !== own);
  const [first] = due;
  if (takes === 0 && print !== own) {
    return { type: 'refused', why: notYet(versions, own, first) };
  }
  return {
    type: 'taken',
    enters: print !== own,
    takes: takes < 0 ? arrivals.length : takes,
    leavesTo: takes < 0 ? undefined : due[takes],
  };
}

/** The last version that begins at or before an arrival. */
function indexAt(versions: readonly PipelineVersion[], arrivalMs: number): number {
  return Math.max(
    0,
    versions.findLastIndex(({ fromMs }) => fromMs <= arrivalMs),
  );
}

function notYet(
  versions: readonly PipelineVersion[],
  own: string,
  first: string | undefined,
): string {
  const isKnown = versions.some(({ print }) => print === own);
  const what = `got version ${own}, expected ${first} for the next record`;
  if (!isKnown) {
    return `${what}: the pipeline was changed without a switch; deploy the version before, then run millrace switch`;
  }
  return `${what}: deploy that one until it has finished`;
}

function overrun(
  versions: readonly PipelineVersion[],
  before: number,
  print: string | undefined,
): string {
  const due = versions[before];
  const isKnown = versions.some((one) => one.print === print);
  const since = new Date(due?.fromMs ?? 0).toISOString();
  if (isKnown) {
    return `version ${print} decided on records that arrived after ${since}, which are of version ${due?.print}: the switch was announced too late; switch back to version ${print}, then again`;
  }
  return `the ledger's version ${print} is in no announcement, expected ${due?.print}: deploy the version that wrote it, then run millrace switch`;
}
